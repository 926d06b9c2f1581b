import { ColumnBatch, readValue, types, writeValue } from '../core/index.ts';
import type {
  Column,
  Operator,
  OperatorContext,
  OperatorState,
  StateChunk,
  StateSchema,
  StateSnapshot,
} from '../core/index.ts';
import { keyGroupOfRow } from './key-groups.ts';
import { testSchema } from './test-graph.ts';

interface Tally {
  readonly count: number;
  readonly sum: number;
}

const ENTRIES_PER_CHUNK = 3;

/**
 * The simplest operator that remembers: per key of testSchema it counts rows and sums their numbers. For each row it
 * emits the row's text with the count as `n` and the sum as `value`.
 */
export class TallyOperator implements Operator {
  readonly state: OperatorState;
  readonly #out = new ColumnBatch(testSchema, 16);
  readonly #tallies = new Map<number, Tally>();
  readonly #texts = new TextEncoder();
  #context: OperatorContext | null = null;
  /** What the snapshot that is being read has still to give: the tallies as they were, by key. */
  #kept: Map<number, Tally> | null = null;
  /** Keys that the snapshot has and that have not changed since. */
  #unchanged = new Set<number>();

  constructor() {
    this.state = {
      schema: TALLY_SCHEMA,
      sizeBytes: 0,
      snapshot: () => this.#snapshot(),
      restore: (chunk, written) => {
        this.#restore(chunk, written);
      },
    };
  }

  open(context: OperatorContext): void {
    this.#context = context;
  }

  process(batch: ColumnBatch, fromRow: number): number {
    const out = this.#out;
    out.reset();
    for (let row = fromRow; row < batch.rowCount; row++) {
      if (out.rowCount === out.capacity) {
        this.#context?.output.emit(out);
        return row;
      }
      this.#count(batch, row, out);
    }
    this.#context?.output.emit(out);
    return batch.rowCount;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#context = null;
  }

  #count(batch: ColumnBatch, row: number, out: ColumnBatch): void {
    const [n, keys, text] = batch.columns;
    const number = Number(readValue(n as Column, types.long, row));
    const key = Number(readValue(keys as Column, types.int, row));
    const before = this.#tallies.get(key);
    if (before !== undefined && this.#unchanged.delete(key)) this.#kept?.set(key, before);
    const tally = { count: (before?.count ?? 0) + 1, sum: (before?.sum ?? 0) + number };
    this.#tallies.set(key, tally);
    const values = [BigInt(tally.count), key, this.#texts.encode(String(readValue(text as Column, types.string, row)))];
    [...values, tally.sum].forEach((value, index) => {
      writeValue(out.columns[index] as Column, out.rowCount, value);
    });
    out.rowCount++;
  }

  #snapshot(): StateSnapshot {
    if (this.#kept !== null) throw new Error('there is a snapshot already');
    const kept = new Map<number, Tally>();
    this.#kept = kept;
    this.#unchanged = new Set(this.#tallies.keys());
    const { maxParallelism } = this.#context as OperatorContext;
    const groups = Map.groupBy(this.#tallies.keys(), (key) => groupOf(key, maxParallelism));
    const pieces = [...groups].flatMap(([keyGroup, keys]) =>
      Array.from({ length: Math.ceil(keys.length / ENTRIES_PER_CHUNK) }, (_, index) => ({
        keyGroup,
        keys: keys.slice(index * ENTRIES_PER_CHUNK, (index + 1) * ENTRIES_PER_CHUNK),
      })),
    );
    return {
      next: () => {
        const piece = pieces.shift();
        if (piece === undefined) return null;
        const entries = piece.keys.map((key) => [key, kept.get(key) ?? this.#tallies.get(key)]);
        for (const key of piece.keys) this.#unchanged.delete(key);
        return { keyGroup: piece.keyGroup, bytes: this.#texts.encode(JSON.stringify(entries)) };
      },
      release: () => {
        this.#kept = null;
        this.#unchanged.clear();
      },
    };
  }

  #restore({ keyGroup, bytes }: StateChunk, written: StateSchema): void {
    if (written.kind !== TALLY_SCHEMA.kind) throw new Error(`not a tally: ${written.kind}`);
    const { maxParallelism } = this.#context as OperatorContext;
    for (const [key, tally] of JSON.parse(new TextDecoder().decode(bytes)) as [number, Tally][]) {
      if (groupOf(key, maxParallelism) !== keyGroup) throw new Error(`key ${key} is not of key group ${keyGroup}`);
      if (this.#tallies.has(key)) throw new Error(`key ${key} comes twice`);
      this.#tallies.set(key, tally);
    }
  }
}

const TALLY_SCHEMA: StateSchema = {
  kind: 'tally',
  version: 1,
  key: { fields: [{ name: 'key', type: types.int }] },
  values: {
    fields: [
      { name: 'count', type: types.long },
      { name: 'sum', type: types.double },
    ],
  },
  settings: {},
};

function groupOf(key: number, maxParallelism: number): number {
  return keyGroupOfRow(TALLY_SCHEMA.key, [0], [key], maxParallelism);
}

