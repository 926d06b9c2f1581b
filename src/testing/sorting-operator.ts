import { ColumnBatch, readValue, types, writeValue } from '../core/index.ts';
import type {
  Column,
  Operator,
  OperatorContext,
  OperatorState,
  StateChunk,
  StateSnapshot,
  Value,
} from '../core/index.ts';
import { keyGroupOfRow } from './key-groups.ts';
import { testSchema } from './test-graph.ts';

interface Held {
  readonly timestamp: number;
  readonly row: readonly Value[];
}

/**
 * Holds rows back until event time has come to them, and emits them in its order; a row without a timestamp at once, a
 * late one with `late: ` before its text. State is by the key of testSchema.
 */
export class SortingOperator implements Operator {
  readonly state: OperatorState;
  readonly #out = new ColumnBatch(testSchema, 5);
  #held: Held[] = [];
  #due: Held[] = [];
  #watermarkMs = -Infinity;
  #context: OperatorContext | null = null;

  constructor() {
    this.state = {
      schema: { kind: 'sorting', version: 1, key: keySchema, values: testSchema, settings: {} },
      sizeBytes: 0,
      snapshot: () => this.#snapshot(),
      restore: (chunk) => {
        this.#restore(chunk);
      },
    };
  }

  open(context: OperatorContext): void {
    this.#context = context;
    this.#watermarkMs = context.restoredWatermarkMs;
  }

  process(batch: ColumnBatch, fromRow: number): number {
    if (!this.#emitDue()) return fromRow;
    for (let row = fromRow; row < batch.rowCount; row++) {
      const values = testSchema.fields.map(({ type }, index) => readValue(batch.columns[index] as Column, type, row));
      this.#take(values, batch.timestamps?.[row] ?? NaN);
    }
    // What is due goes out now, or with the next call.
    this.#emitDue();
    return batch.rowCount;
  }

  onWatermark(timestampMs: number): boolean {
    if (timestampMs > this.#watermarkMs) {
      this.#watermarkMs = timestampMs;
      const due = this.#held.filter(({ timestamp }) => timestamp < timestampMs);
      this.#held = this.#held.filter(({ timestamp }) => timestamp >= timestampMs);
      this.#due.push(...due.sort((a, b) => a.timestamp - b.timestamp || Number(a.row[0]) - Number(b.row[0])));
    }
    return this.#emitDue();
  }

  flush(): boolean {
    return this.#emitDue();
  }

  finish(): boolean {
    return this.#emitDue();
  }

  close(): void {
    this.#context = null;
  }

  #take(row: readonly Value[], timestamp: number): void {
    if (timestamp >= this.#watermarkMs) {
      this.#held.push({ timestamp, row });
      return;
    }
    const text = Number.isNaN(timestamp) ? row[2] : `late: ${String(row[2])}`;
    this.#due.push({ timestamp, row: row.with(2, text ?? null) });
  }

  /** Emits what is due; true once all is out. */
  #emitDue(): boolean {
    while (this.#due.length > 0) {
      if (this.#context?.output.ready !== true) return false;
      this.#out.reset();
      for (const { row } of this.#due.splice(0, this.#out.capacity)) this.#write(row);
      this.#context.output.emit(this.#out);
    }
    return true;
  }

  #write(row: readonly Value[]): void {
    row.forEach((value, index) => {
      const isText = testSchema.fields[index]?.type.kind === 'string';
      const stored = isText && typeof value === 'string' ? new TextEncoder().encode(value) : value;
      writeValue(this.#out.columns[index] as Column, this.#out.rowCount, stored);
    });
    this.#out.rowCount++;
  }

  #snapshot(): StateSnapshot {
    if (this.#due.length > 0) throw new Error('a snapshot before all was flushed');
    const { maxParallelism } = this.#context as OperatorContext;
    const groups = [...Map.groupBy(this.#held, ({ row }) => groupOf(row, maxParallelism))].map(([keyGroup, held]) => {
      const stored = held.map(({ timestamp, row }) => [timestamp, String(row[0]), ...row.slice(1)]);
      return { keyGroup, bytes: new TextEncoder().encode(JSON.stringify(stored)) };
    });
    return {
      next: () => groups.shift() ?? null,
      release: () => {
        groups.length = 0;
      },
    };
  }

  #restore({ bytes }: StateChunk): void {
    type Stored = [number, string, number, string, number | null];
    for (const [timestamp, n, ...rest] of JSON.parse(new TextDecoder().decode(bytes)) as Stored[]) {
      this.#held.push({ timestamp, row: [BigInt(n), ...rest] });
    }
  }
}

const keySchema = { fields: [{ name: 'key', type: types.int }] };

function groupOf(row: readonly Value[], maxParallelism: number): number {
  return keyGroupOfRow(keySchema, [0], [row[1] ?? null], maxParallelism);
}
