import { ColumnBatch, createColumn, keyGroupOf, RowKind } from '../../core/index.ts';
import type { Column, DoubleColumn, KeyGroupWatermarks, OperatorContext } from '../../core/index.ts';
import type { AggregateCalls } from '../aggregate/aggregate-calls.ts';
import type { KeyTable } from '../state/key-table.ts';
import { writeNull } from '../state/column-writes.ts';
import type { WindowSpec } from './window-spec.ts';

const ROWS = 1024;

export interface WindowOutputParts {
  /** The keys of slots. */
  readonly table: KeyTable;
  /** Their results. */
  readonly calls: AggregateCalls;
  readonly context: OperatorContext;
}

export interface WindowOutputOptions {
  readonly isUpsert: boolean;
  readonly hasTime: boolean;
  /** Rows of a batch. */
  readonly capacity?: number;
  /** Key groups for which windows were emitted before, until then. */
  readonly ahead?: KeyGroupWatermarks | undefined;
}

/**
 * The rows that windows emit. canWrite() before each row; where it is false the output is not ready, and the operator
 * has to return and go on later. emit() at the end of each call.
 */
export class WindowOutput {
  readonly #spec: WindowSpec<unknown>;
  readonly #table: KeyTable;
  readonly #calls: AggregateCalls;
  readonly #context: OperatorContext;
  readonly #batch: ColumnBatch;
  readonly #keys: readonly { readonly key: number; readonly column: Column }[];
  readonly #starts: readonly DoubleColumn[];
  readonly #ends: readonly DoubleColumn[];
  /** Null where all rows are inserts. */
  readonly #rowKinds: Uint8Array | null;
  readonly #timestamps: Float64Array | null;
  readonly #ahead: KeyGroupWatermarks | null;
  #isBorrowed = false;

  constructor(
    spec: WindowSpec<unknown>,
    options: WindowOutputOptions,
    { table, calls, context }: WindowOutputParts,
  ) {
    const capacity = options.capacity ?? ROWS;
    this.#spec = spec;
    this.#table = table;
    this.#calls = calls;
    this.#context = context;
    this.#batch = new ColumnBatch(spec.output, capacity);
    const columns = this.#batch.ownColumns;
    this.#keys = spec.fields.flatMap((field, index) =>
      field.kind === 'key' ? [{ key: field.key, column: columns[index] as Column }] : [],
    );
    const timesOf = (kind: string): DoubleColumn[] =>
      spec.fields.flatMap((field, index) => (field.kind === kind ? [columns[index] as DoubleColumn] : []));
    this.#starts = timesOf('window-start');
    this.#ends = timesOf('window-end');
    this.#rowKinds = options.isUpsert ? new Uint8Array(capacity) : null;
    this.#timestamps = options.hasTime ? new Float64Array(capacity) : null;
    this.#ahead = options.ahead ?? null;
    const outputs = spec.calls.map((call, number) => {
      const index = spec.fields.findIndex((field) => field.kind === 'call' && field.call === number);
      return columns[index] ?? createColumn(call.type, capacity);
    });
    calls.bindOutputs(outputs);
    this.#begin();
  }

  canWrite(): boolean {
    const batch = this.#batch;
    if (!this.#isBorrowed && batch.rowCount === batch.capacity) this.emit();
    if (!this.#isBorrowed) return true;
    if (!this.#context.output.ready) return false;
    this.#begin();
    return true;
  }

  emit(): void {
    if (this.#isBorrowed || this.#batch.rowCount === 0) return;
    this.#isBorrowed = true;
    this.#context.output.emit(this.#batch);
  }

  /**
   * A row with the key of one slot and the results of another. A result that does not fit its type is a record error:
   * the row is left out, and the answer is false. A window that the key group has emitted, and that cannot change any
   * more, is not emitted again: some of what was in it is gone.
   */
  write(keySlot: number, resultSlot: number, startMs: number, endMs: number, kind: RowKind): boolean {
    const emittedMs = this.#emittedUntil(keySlot, endMs);
    if (endMs + this.#spec.latenessMs <= emittedMs) return true;
    const batch = this.#batch;
    const row = batch.rowCount;
    for (const { key, column } of this.#keys) this.#table.write(keySlot, key, column, row);
    const hasBounds = endMs === endMs;
    for (const column of this.#starts) writeTime(column, row, startMs, hasBounds);
    for (const column of this.#ends) writeTime(column, row, endMs, hasBounds);
    if (this.#timestamps !== null) this.#timestamps[row] = endMs - 1;
    if (this.#rowKinds !== null) this.#rowKinds[row] = endMs <= emittedMs ? again(kind) : kind;
    try {
      this.#calls.loops.write(resultSlot, row);
    } catch (error) {
      this.#context.errors.handle(batch, row, this.#spec.stepId, error);
      return false;
    }
    batch.rowCount = row + 1;
    return true;
  }

  /** Until when the windows of the slot's key were emitted before; where that could concern one that ends then. */
  #emittedUntil(slot: number, endMs: number): number {
    const ahead = this.#ahead;
    if (ahead === null || endMs > ahead.latestMs) return -Infinity;
    return ahead.of(keyGroupOf(this.#table.hashOf(slot), this.#context.maxParallelism));
  }

  #begin(): void {
    this.#batch.reset();
    this.#batch.timestamps = this.#timestamps;
    this.#batch.rowKinds = this.#rowKinds;
    this.#isBorrowed = false;
  }
}

function again(kind: RowKind): RowKind {
  return kind === RowKind.insert ? RowKind.updateAfter : kind;
}

function writeTime(column: DoubleColumn, row: number, timeMs: number, isKnown: boolean): void {
  writeNull(column, row, !isKnown);
  column.values[row] = timeMs;
}
