import { ColumnBatch, coreErrors, MillraceError, readValue, setNull, types, writeValue } from '../core/index.ts';
import type { Column, Operator, OperatorContext } from '../core/index.ts';
import type { OperatorNode } from '../taskmanager/index.ts';
import { SortingOperator } from './sorting-operator.ts';
import { TallyOperator } from './tally-operator.ts';
import { testSchema } from './test-graph.ts';

/**
 * Operators by name, for graphs of operatorNode():
 *
 * - `expand-K`: each row K times, in output batches of 7 rows: resumable in the middle of a row
 * - `late-K`: keeps all rows until finish(), then gives them out 5 at a time (K only names it)
 * - `drop-K`: only rows whose number is divisible by K, handed on when flushed or full
 * - `reject-N`: a record error for row number N
 * - `crash-N`: an error that is nobody's record's fault, at row number N
 * - `spin-N`: an endless loop at row number N
 * - `exit-N`: ends the thread at row number N
 * - `beat-N`: passes rows on, and emits a row of its own every N ms of the clock
 * - `slow-N`: passes rows on, each batch after N turns of the event loop
 * - `tally-1`, `sort-1`: TallyOperator and SortingOperator, which remember (1 only completes the name)
 * - `stuck-open`: an open() that never resolves
 */
export function createTestOperator(node: OperatorNode): Operator {
  const name = node.kind === 'aggregate' ? (node.calls[0]?.name ?? '') : '';
  const [kind, count] = name.split(/-(?=[^-]*$)/);
  const stepId = node.kind === 'aggregate' ? node.stepId : '';
  switch (kind) {
    case 'expand':
      return new ExpandOperator(Number(count));
    case 'late':
      return new LateOperator();
    case 'drop':
      return new DropOperator(Number(count));
    case 'reject':
      return new EachRowOperator(Number(count), stepId, () => {
        const row = { domain: 'user', scope: 'record', retry: 'never', message: 'no {thing}' } as const;
        throw new MillraceError('MR-TEST-REJECTED', row, { thing: 'good' });
      });
    case 'crash':
      return new EachRowOperator(Number(count), stepId, () => {
        throw new TypeError('undefined is not a function');
      });
    case 'spin':
      return new EachRowOperator(Number(count), stepId, () => {
        for (;;);
      });
    case 'exit':
      return new EachRowOperator(Number(count), stepId, () => process.exit(7));
    case 'beat':
      return new BeatOperator(Number(count));
    case 'slow':
      return new SlowOperator(Number(count));
    case 'tally':
      return new TallyOperator();
    case 'sort':
      return new SortingOperator();
    case 'stuck':
      return new StuckOperator();
    default:
      throw coreErrors.create('MR-INTERNAL', { message: `there is no test operator ${name}` });
  }
}

abstract class TestOperator implements Operator {
  protected context: OperatorContext | null = null;

  open(context: OperatorContext): void | Promise<void> {
    this.context = context;
  }

  abstract process(batch: ColumnBatch, fromRow: number, input: number): number;

  finish(): boolean {
    return true;
  }

  close(): void {
    this.context = null;
  }

  protected get isReady(): boolean {
    return this.context?.output.ready === true;
  }
}

function copyRow(from: ColumnBatch, row: number, to: ColumnBatch): void {
  to.columns.forEach((column, index) => {
    const type = testSchema.fields[index]?.type ?? types.long;
    writeValue(column, to.rowCount, readValue(from.columns[index] as Column, type, row));
  });
  to.rowCount++;
}

class ExpandOperator extends TestOperator {
  readonly #times: number;
  readonly #out = new ColumnBatch(testSchema, 7);
  #done = 0;

  constructor(times: number) {
    super();
    this.#times = times;
  }

  process(batch: ColumnBatch, fromRow: number): number {
    this.#out.reset();
    for (let row = fromRow; row < batch.rowCount; row++) {
      for (; this.#done < this.#times; this.#done++) {
        if (this.#out.rowCount === this.#out.capacity) {
          this.context?.output.emit(this.#out);
          return row;
        }
        copyRow(batch, row, this.#out);
      }
      this.#done = 0;
    }
    this.context?.output.emit(this.#out);
    return batch.rowCount;
  }
}

class BeatOperator extends TestOperator {
  readonly #everyMs: number;
  readonly #out = new ColumnBatch(testSchema, 1);

  constructor(everyMs: number) {
    super();
    this.#everyMs = everyMs;
  }

  override open(context: OperatorContext): void {
    this.context = context;
    context.setAlarm(context.ports.clock.nowMs() + this.#everyMs);
  }

  process(batch: ColumnBatch): number {
    this.context?.output.emit(batch);
    return batch.rowCount;
  }

  onTimer(nowMs: number): boolean {
    if (!this.isReady) return false;
    this.#out.reset();
    this.#out.columns.forEach((column, index) => {
      if (index === 2) writeValue(column, 0, new TextEncoder().encode(`beat ${nowMs}`));
      else setNull(column, 0);
    });
    this.#out.rowCount = 1;
    this.context?.output.emit(this.#out);
    this.context?.setAlarm(nowMs + this.#everyMs);
    return true;
  }
}

class SlowOperator extends TestOperator {
  readonly #turns: number;

  constructor(turns: number) {
    super();
    this.#turns = turns;
  }

  async prepare(): Promise<void> {
    for (let turn = 0; turn < this.#turns; turn++) await this.context?.ports.macrotasks.yield();
  }

  process(batch: ColumnBatch): number {
    this.context?.output.emit(batch);
    return batch.rowCount;
  }
}

class LateOperator extends TestOperator {
  readonly #kept: ColumnBatch[] = [];
  readonly #out = new ColumnBatch(testSchema, 5);
  #next = 0;

  process(batch: ColumnBatch): number {
    for (let row = 0; row < batch.rowCount; row++) {
      const kept = new ColumnBatch(testSchema, 1);
      copyRow(batch, row, kept);
      this.#kept.push(kept);
    }
    return batch.rowCount;
  }

  override finish(): boolean {
    while (this.#next < this.#kept.length) {
      if (!this.isReady) return false;
      this.#out.reset();
      while (this.#out.rowCount < this.#out.capacity && this.#next < this.#kept.length) {
        copyRow(this.#kept[this.#next] as ColumnBatch, 0, this.#out);
        this.#next++;
      }
      this.context?.output.emit(this.#out);
    }
    return true;
  }
}

class DropOperator extends TestOperator {
  readonly #divisor: number;
  readonly #out = new ColumnBatch(testSchema, 64);
  #isEmitted = true;

  constructor(divisor: number) {
    super();
    this.#divisor = divisor;
  }

  process(batch: ColumnBatch, fromRow: number): number {
    if (this.#isEmitted) this.#start();
    for (let row = fromRow; row < batch.rowCount; row++) {
      if (this.#out.rowCount === this.#out.capacity) {
        this.#emit();
        return row;
      }
      if (Number(readValue(batch.columns[0] as Column, types.long, row)) % this.#divisor === 0) {
        copyRow(batch, row, this.#out);
      }
    }
    return batch.rowCount;
  }

  flush(): boolean {
    if (this.#isEmitted || this.#out.rowCount === 0) return true;
    if (!this.isReady) return false;
    this.#emit();
    return true;
  }

  override finish(): boolean {
    return this.flush();
  }

  #start(): void {
    this.#out.reset();
    this.#isEmitted = false;
  }

  #emit(): void {
    this.#isEmitted = true;
    this.context?.output.emit(this.#out);
  }
}

class EachRowOperator extends TestOperator {
  readonly #at: number;
  readonly #stepId: string;
  readonly #act: () => void;
  readonly #out = new ColumnBatch(testSchema, 4096);

  constructor(at: number, stepId: string, act: () => void) {
    super();
    this.#at = at;
    this.#stepId = stepId;
    this.#act = act;
  }

  process(batch: ColumnBatch): number {
    this.#out.reset();
    for (let row = 0; row < batch.rowCount; row++) {
      try {
        if (Number(readValue(batch.columns[0] as Column, types.long, row)) === this.#at) this.#act();
        copyRow(batch, row, this.#out);
      } catch (error) {
        this.context?.errors.handle(batch, row, this.#stepId, error);
      }
    }
    this.context?.output.emit(this.#out);
    return batch.rowCount;
  }
}

class StuckOperator extends TestOperator {
  override open(): Promise<void> {
    return new Promise(() => undefined);
  }

  process(batch: ColumnBatch): number {
    return batch.rowCount;
  }
}
