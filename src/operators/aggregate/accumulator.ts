/**
 * The state of one aggregate call over all slots (a group, or a group in a window), in typed arrays. A new slot has
 * seen nothing.
 */
import type { BooleanColumn, Column, IntColumn } from '../../core/index.ts';
import type { ByteReader } from '../state/byte-reader.ts';
import type { ByteWriter } from '../state/byte-writer.ts';

/** What a call reads of the rows of a batch. */
export interface CallInput {
  /** The values of the argument; null where the call has none. */
  readonly argument: Column | null;
  /** For calls that count NULLs: which rows count; null where all do. */
  readonly condition: BooleanColumn | null;
  readonly rowCount: number;
  /** The slot of each row; negative for rows that are left out. */
  readonly slots: IntColumn;
}

export interface CallState {
  /** How a slot is encoded: what is equal in two accumulators that read each other's. */
  readonly layout: string;
  readonly sizeBytes: number;
  /** Makes room for slots [0, slotCount). Called before anything is asked of a new slot. */
  reserve(slotCount: number): void;
  /** Called before the rows of a batch. */
  bindInput(input: CallInput): void;
  /** Called before rows of an output are written. */
  bindOutput(output: Column): void;
  /**
   * Where the result may not fit its type: throws a record-scope error if it would not, once the row were added.
   * Changes nothing.
   */
  check?(slot: number, row: number): void;
  /** Takes the row. Never fails: what is kept has no limits. */
  add(slot: number, row: number): void;
  /** Writes the result to a row of the output; throws a record-scope error where it does not fit its type. */
  write(slot: number, outRow: number): void;
  /** The slot has seen nothing again. */
  clear(slot: number): void;
  /** What the slot has seen. */
  encode(slot: number, to: ByteWriter): void;
  /** The reverse, into a slot that has seen nothing. */
  decode(slot: number, from: ByteReader): void;
}

export interface Accumulator extends CallState {
  /** As if the rows of `from` had been added to `slot` too. `from` stays as it is. */
  merge(slot: number, from: number): void;
}

/** For input that takes rows back. */
export interface UpdatingAccumulator extends CallState {
  /** As if a row like this had not been added; which of several is the earliest. One that was not changes nothing. */
  retract(slot: number, row: number): void;
}

/** Numbers rows in the order of their arrival, over all batches, for calls that care. */
export interface ArrivalClock {
  /** The number of the batch's first row. */
  next: number;
}
