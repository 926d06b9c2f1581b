import { describeOrigin, readValue } from '../core/index.ts';
import type { ColumnBatch, Field, MillraceError, Output, RecordErrorHandler, Value } from '../core/index.ts';

export interface OutputRow {
  readonly values: readonly Value[];
  readonly timestamp: number | null;
  readonly rowKind: number;
  /** The number of the input row that it came from, where the operator passes origins on. */
  readonly origin: string | null;
}

export interface RecordFailure {
  readonly stepId: string;
  readonly code: string;
  /** As OutputRow.origin. */
  readonly origin: string | null;
}

/** Collects what an operator emits, copied at once, and is full for a while after each batch. */
export class HarnessOutput implements Output {
  rows: OutputRow[] = [];
  readonly #pauses: number;
  #pausesLeft = 0;
  #held: { readonly batch: ColumnBatch; readonly rows: readonly OutputRow[] } | null = null;

  /** `pauses`: how many times advance() says no after each batch. */
  constructor(pauses: number) {
    this.#pauses = pauses;
  }

  /** Where an operator puts rows of a side, which go into `rows`; busy as long as this is. */
  side(rows: OutputRow[]): Output {
    const isReady = (): boolean => this.ready;
    return {
      get ready() {
        return isReady();
      },
      emit: (batch) => {
        this.#hold(batch, rows);
      },
    };
  }

  get ready(): boolean {
    return this.#held === null;
  }

  emit(batch: ColumnBatch): void {
    this.#hold(batch, this.rows);
  }

  #hold(batch: ColumnBatch, into: OutputRow[]): void {
    if (!this.ready) throw new Error('the operator emitted while its output was not ready');
    if (batch.rowCount === 0) return;
    if (batch.rowCount > batch.capacity) throw new Error('a batch holds more rows than its capacity');
    const rows = rowsOfBatch(batch);
    into.push(...rows);
    this.#held = { batch, rows };
    this.#pausesLeft = this.#pauses;
  }

  /** The receiver gets on with its batch; true once it is done with it. */
  advance(): boolean {
    if (this.#held === null) return true;
    if (this.#pausesLeft-- > 0) return false;
    // A batch is borrowed until now: it must still hold what was emitted.
    if (asText(rowsOfBatch(this.#held.batch)) !== asText(this.#held.rows)) {
      throw new Error('an emitted batch changed while it was borrowed');
    }
    this.#held = null;
    return true;
  }
}

/** Rows in a form that equal ones share. */
export function asText(rows: unknown): string {
  return JSON.stringify(rows, jsonValue);
}

function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Map) return [...(value as ReadonlyMap<unknown, unknown>)];
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}

function rowsOfBatch(batch: ColumnBatch): OutputRow[] {
  if (batch.columns.length !== batch.schema.fields.length) throw new Error('a batch has columns that its schema lacks');
  return Array.from({ length: batch.rowCount }, (_, row) => ({
    values: batch.columns.map((column, field) => readValue(column, (batch.schema.fields[field] as Field).type, row)),
    timestamp: batch.timestamps === null ? null : (batch.timestamps[row] as number),
    rowKind: batch.rowKinds === null ? 0 : (batch.rowKinds[row] as number),
    origin: describeOrigin(batch, row),
  }));
}

export class HarnessErrors implements RecordErrorHandler {
  readonly failures: RecordFailure[] = [];
  /** The errors themselves, in the same order. */
  readonly errors: MillraceError[] = [];

  handle(batch: ColumnBatch, row: number, stepId: string, error: unknown): void {
    const known = error as MillraceError;
    if (known.scope !== 'record') throw error;
    this.errors.push(known);
    this.failures.push({ stepId, code: known.code, origin: describeOrigin(batch, row) });
  }
}
