/**
 * Where a walk through the records of one batch stands. `data` is the fetch response or decompressed bytes; records lie
 * at [position, end).
 */
export interface BatchCursor {
  data: Uint8Array;
  position: number;
  end: number;
  recordsLeft: number;
  baseOffset: number;
  /** Of the batch; a record adds its delta, unless the broker stamped the batch. */
  baseTimestamp: number;
  /** The time at which the broker appended the batch, or NaN where the producer set the time of each record. */
  appendTimestamp: number;
  /** Records before this offset were read already: a batch may begin before the offset that was asked for. */
  fromOffset: number;
  /** Records from this offset on are not wanted. */
  endOffset: number;
  /** Whether keys, headers and timestamps are put down, too. */
  readonly withDetails: boolean;
  /** Whether a record at or behind endOffset was seen. */
  isPastEnd: boolean;
}

export function createBatchCursor(fromOffset: number, endOffset: number, withDetails: boolean): BatchCursor {
  return {
    data: new Uint8Array(0),
    position: 0,
    end: 0,
    recordsLeft: 0,
    baseOffset: 0,
    baseTimestamp: 0,
    appendTimestamp: NaN,
    fromOffset,
    endOffset,
    withDetails,
    isPastEnd: false,
  };
}
