import { ColumnBatch, setNull, splitId, types, writeValue } from '../core/index.ts';
import type {
  BatchOrigin,
  Options,
  ReaderContext,
  SourceConnector,
  SourceReader,
  SourceSpec,
  Split,
  SplitId,
} from '../core/index.ts';
import { testSchema } from './test-graph.ts';

/**
 * A source of rows that are known beforehand. Options: `rows` in all (absent: endless), `splits`, `batchRows`, `keys`
 * (how many different ones), `pauseEvery` (reads nothing for `pauseMs` after so many batches), `failOpen`, `failAt`
 * (the row at which reading fails), `hangOpen`, `racks` (of the splits, in turn).
 */
export const sequenceSource: SourceConnector = {
  kind: 'source',
  name: 'sequence',
  doc: 'Rows of a test.',
  options: {},
  formatUse: 'none',
  example: '',
  metadata: { none: types.long },
  deadLetters: true,
  fixedSchema: () => testSchema,
  isBounded: (options) => options['rows'] !== undefined,
  check: () => [],
  createEnumerator(spec) {
    const count = numberOption(spec.options, 'splits', 1);
    return {
      open: () =>
        spec.options['failOpen'] === true ? Promise.reject(new Error('there is no such sequence')) : Promise.resolve(),
      discover: () => Promise.resolve(Array.from({ length: count }, (_, index) => sequenceSplit(spec, index, count))),
      discoveryIntervalMs: null,
      close: () => Promise.resolve(),
    };
  },
  createReader: (spec) => new SequenceReader(spec),
};

/** The row with number `n`: what a test expects, without running anything. */
export function sequenceRow(n: number, keys: number): readonly [bigint, number, string, number | null] {
  return [BigInt(n), n % keys, `row ${n}`, n % 7 === 3 ? null : n / 2];
}

function numberOption(options: Options, name: string, otherwise: number): number {
  const value = options[name];
  return typeof value === 'number' ? value : otherwise;
}

/** Split i of s has the rows i, i + s, i + 2 s … */
function sequenceSplit(spec: SourceSpec, index: number, count: number): Split {
  const racks = spec.options['racks'];
  const rack: unknown = Array.isArray(racks) ? racks[index % racks.length] : null;
  const near = typeof rack === 'string' ? [rack] : [];
  return { id: splitId(`${spec.stepId}-${index}`), position: { next: index, step: count }, racks: near };
}

class SplitOrigin implements BatchOrigin {
  readonly parts: { prefix: string; offsets: Float64Array };
  readonly #deadLetters: (offset: number) => void;

  constructor(prefix: string, capacity: number, deadLetter: (offset: number) => void) {
    this.parts = { prefix, offsets: new Float64Array(capacity) };
    this.#deadLetters = deadLetter;
  }

  describe(row: number): string {
    return `${this.parts.prefix}${this.parts.offsets[row] as number}`;
  }

  deadLetter(row: number): void {
    this.#deadLetters(this.parts.offsets[row] as number);
  }
}

interface ReadSplit {
  readonly id: SplitId;
  next: number;
  readonly step: number;
  readonly origin: SplitOrigin;
  hasToldEnd: boolean;
}

class SequenceReader implements SourceReader {
  readonly #spec: SourceSpec;
  readonly #rows: number;
  readonly #keys: number;
  readonly #pauseEvery: number;
  readonly #pauseMs: number;
  readonly #failAt: number;
  readonly #batch: ColumnBatch;
  readonly #texts = new TextEncoder();
  #context: ReaderContext | null = null;
  #splits: ReadSplit[] = [];
  #hasAllSplits = false;
  #polls = 0;
  #isPaused = false;
  #waiters: (() => void)[] = [];

  constructor(spec: SourceSpec) {
    this.#spec = spec;
    this.#rows = numberOption(spec.options, 'rows', Infinity);
    this.#keys = numberOption(spec.options, 'keys', 10);
    this.#pauseEvery = numberOption(spec.options, 'pauseEvery', Infinity);
    this.#pauseMs = numberOption(spec.options, 'pauseMs', 1);
    this.#failAt = numberOption(spec.options, 'failAt', Infinity);
    this.#batch = new ColumnBatch(testSchema, numberOption(spec.options, 'batchRows', 100));
  }

  get isFinished(): boolean {
    return this.#hasAllSplits && this.#splits.every(({ next }) => next >= this.#rows);
  }

  open(context: ReaderContext): Promise<void> {
    this.#context = context;
    return this.#spec.options['hangOpen'] === true ? new Promise(() => undefined) : Promise.resolve();
  }

  addSplits(splits: readonly Split[]): void {
    for (const { id, position } of splits) {
      const origin = new SplitOrigin(`split ${id}, offset `, this.#batch.capacity, () => {
        const counter = this.#context?.counter('testDeadLetters');
        if (counter !== undefined) counter.value++;
      });
      const next = Number(position['next']);
      this.#splits.push({ id, next, step: Number(position['step']), origin, hasToldEnd: false });
    }
    this.#wake();
  }

  noMoreSplits(): void {
    this.#hasAllSplits = true;
    this.#wake();
  }

  poll(): ColumnBatch | null {
    if (this.#isPaused) return null;
    const split = this.#splits.find(({ next }) => next < this.#rows);
    if (split === undefined) return null;
    // In turn: the split that was read goes to the end.
    this.#splits = [...this.#splits.filter((each) => each !== split), split];
    const batch = this.#batch;
    batch.reset();
    batch.origin = split.origin;
    for (let row = 0; row < batch.capacity && split.next < this.#rows; row++) {
      if (split.next >= this.#failAt) throw new Error(`row ${split.next} cannot be read`);
      this.#writeRow(batch, row, split.next);
      split.origin.parts.offsets[row] = split.next;
      split.next += split.step;
      batch.rowCount = row + 1;
    }
    this.#polls++;
    if (this.#polls % this.#pauseEvery === 0) this.#pause();
    return batch;
  }

  get batchSplit(): SplitId | null {
    return this.#polls === 0 ? null : (this.#splits.at(-1)?.id ?? null);
  }

  available(): Promise<void> {
    if (!this.#isPaused && (this.isFinished || this.#splits.some(({ next }) => next < this.#rows))) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }

  takeEndedSplits(): readonly SplitId[] {
    const ended = this.#splits.filter((split) => split.next >= this.#rows && !split.hasToldEnd);
    for (const split of ended) split.hasToldEnd = true;
    return ended.map(({ id }) => id);
  }

  positions(): readonly Split[] {
    return this.#splits.map(({ id, next, step }) => ({ id, position: { next, step }, racks: [] }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #writeRow(batch: ColumnBatch, row: number, n: number): void {
    const [n0, key, text, value] = batch.columns;
    if (n0 === undefined || key === undefined || text === undefined || value === undefined) return;
    writeValue(n0, row, BigInt(n));
    writeValue(key, row, n % this.#keys);
    writeValue(text, row, this.#texts.encode(`row ${n}`));
    if (n % 7 === 3) setNull(value, row);
    else writeValue(value, row, n / 2);
  }

  #pause(): void {
    this.#isPaused = true;
    const resume = (): void => {
      this.#isPaused = false;
      this.#wake();
    };
    this.#context?.ports.clock.schedule(this.#pauseMs, resume, true);
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
