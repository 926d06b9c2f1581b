import type { RecordRange } from '../record-batch/index.ts';
import type { PartitionState } from './partition-state.ts';

/** A fetch answer's memory, shared by the ranges in it. */
export interface SharedResponse {
  readonly data: Uint8Array;
  readonly brokerId: number;
  /** Ranges that are not read yet. */
  unread: number;
}

/** The records of one partition in one fetch answer. */
export interface FetchedRange {
  readonly state: PartitionState;
  readonly range: RecordRange;
  readonly response: SharedResponse;
}
