/**
 * Sources whose rows are made from their number: row i is the same whoever makes it, so any subtask can make any part,
 * and a position is one number.
 *
 * Rows are dealt in blocks to a fixed number of splits, in turn. A reader works on the split whose next row has the
 * lowest number: one reader that has all splits emits 0, 1, 2, …, and a resumed job may have any parallelism. A split
 * keeps the size of its blocks, whatever the rate is when the job is resumed.
 */
import { ColumnBatch, counterNames, emittedSchema, splitId } from '../../core/index.ts';
import type {
  BatchOrigin,
  Column,
  Counter,
  ReaderContext,
  RecordErrorHandler,
  SourceReader,
  SourceSpec,
  Split,
  SplitId,
  SplitEnumerator,
  Timer,
} from '../../core/index.ts';
import { RowFilter } from '../formats/row-filter.ts';
import { TargetColumns } from '../formats/target-columns.ts';
import { wantedFields, type WantedFields } from '../formats/wanted-fields.ts';

/** Enough for any sensible parallelism; a subtask without a split has nothing to do. */
const SPLIT_COUNT = 32;
const MAX_BLOCK_ROWS = 1024;
/** Blocks that a filter has emptied before poll() gives other work a turn. */
const MAX_EMPTY_BLOCKS = 8;

export interface RowPlan {
  /** Rows per second; null for as fast as they are taken. */
  readonly rate: number | null;
  /** The number of rows; null for no end. */
  readonly count: number | null;
}

export interface RowMaker {
  open?(context: ReaderContext): void;
  /** Writes the wanted fields of row `index` at `row` of their columns, where rows [0, row) are written. */
  make(index: number, columns: readonly Column[], row: number): void;
}

/** At a low rate small blocks, so that all splits get their share of every second. */
function blockRows({ rate }: RowPlan): number {
  return rate === null ? MAX_BLOCK_ROWS : Math.max(1, Math.min(MAX_BLOCK_ROWS, Math.floor(rate / SPLIT_COUNT)));
}

export class RowSplits implements SplitEnumerator {
  readonly discoveryIntervalMs = null;
  readonly #plan: RowPlan;
  #done = false;

  constructor(plan: RowPlan) {
    this.#plan = plan;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  discover(): Promise<readonly Split[]> {
    if (this.#done) return Promise.resolve([]);
    this.#done = true;
    const block = blockRows(this.#plan);
    const splits = Array.from({ length: SPLIT_COUNT }, (_, index) => split(index, block, index * block));
    return Promise.resolve(splits);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function split(index: number, block: number, next: number): Split {
  return { id: splitId(`rows-${index}`), position: { index, block, next }, racks: [] };
}

interface OpenSplit {
  readonly id: SplitId;
  readonly index: number;
  /** Rows per block. */
  readonly block: number;
  /** The number of the next row. */
  next: number;
}

export class RowReader implements SourceReader {
  readonly #spec: SourceSpec;
  readonly #plan: RowPlan;
  readonly #maker: RowMaker;
  readonly #filter: RowFilter;
  readonly #columns: TargetColumns;
  readonly #batch: ColumnBatch;
  readonly #origin: RowOrigin;
  readonly #splits: OpenSplit[] = [];
  #current: OpenSplit | null = null;
  #recordsIn: Counter = { value: 0 };
  #context: ReaderContext | null = null;
  #startedMs = 0;
  #firstRow: number | null = null;
  #noMoreSplits = false;
  #timer: Timer | null = null;
  #wake: (() => void)[] = [];

  constructor(spec: SourceSpec, plan: RowPlan, createMaker: (wanted: WantedFields) => RowMaker) {
    const wanted = wantedFields(spec);
    this.#spec = spec;
    this.#plan = plan;
    this.#maker = createMaker(wanted);
    this.#filter = new RowFilter(spec, wanted);
    this.#columns = new TargetColumns(wanted);
    this.#batch = new ColumnBatch(emittedSchema(spec), MAX_BLOCK_ROWS);
    this.#origin = new RowOrigin(spec.connector);
  }

  open(context: ReaderContext): Promise<void> {
    this.#context = context;
    this.#maker.open?.(context);
    this.#startedMs = context.ports.clock.monotonicMs();
    this.#recordsIn = context.counter(counterNames.recordsIn.name);
    return Promise.resolve();
  }

  addSplits(splits: readonly Split[]): void {
    for (const { id, position } of splits) {
      const block = Number(position['block'] ?? blockRows(this.#plan));
      this.#splits.push({ id, index: Number(position['index']), block, next: Number(position['next']) });
    }
    this.#wakeAll();
  }

  noMoreSplits(): void {
    this.#noMoreSplits = true;
    this.#wakeAll();
  }

  poll(): ColumnBatch | null {
    for (let empty = 0; empty < MAX_EMPTY_BLOCKS; empty++) {
      const next = this.#nextSplit();
      if (next === null || this.#context === null) return null;
      const limit = Math.min(this.#due(), this.#plan.count ?? Infinity);
      if (next.next >= limit) return null;
      this.#current = next;
      this.#makeBlock(next, limit, this.#context.errors);
      if (this.#batch.rowCount > 0) return this.#batch;
    }
    return null;
  }

  get batchSplit(): SplitId | null {
    return this.#current?.id ?? null;
  }

  #nextSplit(): OpenSplit | null {
    let lowest: OpenSplit | null = null;
    for (const each of this.#splits) if (lowest === null || each.next < lowest.next) lowest = each;
    return lowest;
  }

  /** Rows below this number may be emitted now. */
  #due(): number {
    const { rate } = this.#plan;
    if (rate === null || this.#context === null) return Infinity;
    this.#firstRow ??= this.#nextSplit()?.next ?? 0;
    const elapsedMs = this.#context.ports.clock.monotonicMs() - this.#startedMs;
    return this.#firstRow + Math.floor((elapsedMs * rate) / 1000) + 1;
  }

  #makeBlock(of: OpenSplit, limit: number, errors: RecordErrorHandler): void {
    const { block } = of;
    const blockEnd = (Math.floor(of.next / block) + 1) * block;
    const end = Math.min(blockEnd, limit, of.next + MAX_BLOCK_ROWS);
    const batch = this.#batch;
    batch.reset();
    const columns = this.#columns.bind(batch, null);
    let row = 0;
    for (let index = of.next; index < end; index++) {
      this.#origin.rows[row] = index;
      try {
        this.#maker.make(index, columns, row);
        if (this.#filter.passes(columns, row)) row++;
      } catch (error) {
        batch.origin = this.#origin;
        errors.handle(batch, row, this.#filter.evaluating ?? this.#spec.stepId, error);
      }
    }
    this.#recordsIn.value += end - of.next;
    of.next = end === blockEnd ? end + (SPLIT_COUNT - 1) * block : end;
    batch.rowCount = row;
    batch.origin = this.#origin;
  }

  async available(): Promise<void> {
    if (this.isFinished || this.#context === null) return;
    const next = this.#nextSplit();
    if (next !== null && next.next < (this.#plan.count ?? Infinity)) {
      const rowsToGo = next.next + 1 - this.#due();
      if (rowsToGo <= 0) return;
      const delayMs = Math.max(1, Math.ceil((rowsToGo * 1000) / (this.#plan.rate ?? 1)));
      this.#timer?.cancel();
      this.#timer = this.#context.ports.clock.schedule(delayMs, () => this.#wakeAll());
    }
    await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #wakeAll(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const resolve of waiting) resolve();
  }

  get isFinished(): boolean {
    const { count } = this.#plan;
    return this.#noMoreSplits && this.#splits.every((each) => count !== null && each.next >= count);
  }

  positions(): readonly Split[] {
    return this.#splits.map(({ index, block, next }) => split(index, block, next));
  }

  close(): Promise<void> {
    this.#timer?.cancel();
    this.#wakeAll();
    return Promise.resolve();
  }
}

class RowOrigin implements BatchOrigin {
  /** The number of each row of the batch. */
  readonly rows = new Float64Array(MAX_BLOCK_ROWS);
  readonly parts: { readonly prefix: string; readonly offsets: Float64Array };

  constructor(connector: string) {
    this.parts = { prefix: `${connector}, row `, offsets: this.rows };
  }

  describe(row: number): string {
    return `${this.parts.prefix}${this.rows[row] ?? -1}`;
  }
}
