import { apiErrors } from '../api/index.ts';
import {
  fileErrors,
  formatErrors,
  httpErrors,
  kafkaErrors,
  lineErrors,
  printErrors,
  socketErrors,
} from '../connectors/index.ts';
import { coreErrors, type ErrorRow } from '../core/index.ts';
import { clusterErrors, restErrors } from '../dispatcher/index.ts';
import { exprErrors } from '../expr/index.ts';
import { graphErrors } from '../graph/index.ts';
import { haErrors } from '../ha/index.ts';
import { codeErrors, operatorErrors } from '../operators/index.ts';
import { rpcErrors } from '../rpc/index.ts';
import { schedulerErrors } from '../scheduler/index.ts';
import { stateErrors } from '../state/index.ts';
import { taskErrors } from '../taskmanager/index.ts';
import { cliErrors } from './errors.ts';

const TABLES: readonly { readonly rows: Readonly<Record<string, ErrorRow>> }[] = [
  coreErrors,
  apiErrors,
  exprErrors,
  graphErrors,
  formatErrors,
  kafkaErrors,
  fileErrors,
  httpErrors,
  socketErrors,
  lineErrors,
  printErrors,
  operatorErrors,
  codeErrors,
  rpcErrors,
  schedulerErrors,
  haErrors,
  clusterErrors,
  restErrors,
  stateErrors,
  taskErrors,
  cliErrors,
];

/** Every error that this build can report, by code, in the order of the codes. */
export const errorRows: ReadonlyMap<string, ErrorRow> = new Map(
  TABLES.flatMap(({ rows }) => Object.entries(rows)).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
);
