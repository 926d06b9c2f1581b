export { DRIVES, driveOperator, driveOperatorAllWays } from './operator-harness.ts';
export type {
  DriveOptions,
  InputRow,
  OperatorCase,
  OperatorResult,
  OutputRow,
  RecordFailure,
} from './operator-harness.ts';
