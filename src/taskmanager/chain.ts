/**
 * The driver of a chain: one pending batch per operator, work always at the deepest one. The design is in
 * docs/design/007-task-runtime.md.
 */
import type {
  ColumnBatch,
  Committable,
  Counter,
  InFlightRoute,
  Operator,
  OperatorState,
  Output,
} from '../core/index.ts';
import { taskErrors } from './errors.ts';
import type { ControlElement } from './exchange/channel.ts';

/** What travels down an empty chain: a control element, or the order to let go of what is buffered. */
export type ChainControl = ControlElement | { readonly kind: 'flush' };

/** The alarm of one operator: it goes no further. */
interface ChainAlarm {
  readonly kind: 'alarm';
  readonly nowMs: number;
}

/** Follows a barrier down the chain, in a job that takes checkpoints. */
export interface BarrierObserver {
  /** The barrier has reached an operator, and everything before it has left the operator. */
  reached(stepId: string, state: OperatorState): void;
  /** The barrier has left the chain. */
  left(committables: readonly Committable[]): void;
}

/** The last part of a chain: a sink, or the exchanges to the next chains. */
export interface ChainTail {
  /** The step that failures here belong to. */
  readonly stepId: string;
  /** Called when take() or control() may get further. */
  onReady: () => void;
  /** Called at any time when something that the tail has started went wrong. */
  onFailure: (error: unknown) => void;
  /** Starts with a batch, of the output or of a side, borrowed until take() has returned true. */
  offer(batch: ColumnBatch, side: string | null): void;
  /** Goes on with the batch; true once it is no longer needed. */
  take(): boolean;
  /** Goes on with an element that follows all batches; true once it is done. A flush is done at once. */
  control(control: ChainControl): boolean;
  /** What was prepared for the last barrier, or for the end of input. */
  readonly committables: readonly Committable[];
  /**
   * A checkpoint waits for the chain to be empty: until calm(), batches and elements are taken although there is no
   * room for them, as far as memory allows. A barrier then overtakes them.
   */
  hurry(checkpointId: number): void;
  calm(): void;
  /** Whether everything that was taken without room has found some; goes on with it. */
  settle(): boolean;
  /** Called with copies of what a barrier overtakes here. */
  overtaken: (route: InFlightRoute, frame: ArrayBuffer) => void;
}

/** One operator of a chain; a union has none and passes its input on. */
export interface ChainStage {
  readonly operator: Operator | null;
  /** The step that failures of the operator belong to. */
  readonly stepId: string;
  readonly recordsIn: Counter;
  readonly recordsOut: Counter;
}

export type ChainProgress =
  /** Something was done, and there is more to do. */
  | 'more'
  /** Nothing more can be done until onReady is called. */
  | 'blocked'
  /** The chain is empty. */
  | 'idle';

class Pending {
  batch: ColumnBatch | null = null;
  row = 0;
  input = 0;
  isPrepared = false;
}

export class Chain {
  /** Called when a promise that blocked the chain has resolved. */
  onReady: () => void = () => undefined;
  readonly #stages: readonly ChainStage[];
  readonly #tail: ChainTail;
  readonly #pending: readonly Pending[];
  /** The deepest stage that holds a batch, `#stages.length` for the tail, -1 for none. */
  #deepest = -1;
  #control: ChainControl | ChainAlarm | null = null;
  /** Where the control element is, and whether the operator there has let go of what it buffered. */
  #controlStage = 0;
  #isFlushed = false;
  #isAwaiting = false;
  #failure: { readonly error: unknown } | null = null;
  /** The stage whose code runs or ran last. */
  #current = 0;
  /** The checkpoint that waits for the chain to be empty; -1 for none. */
  #hurriedId = -1;

  /** Where each stage puts its output. */
  readonly outputs: readonly Output[];
  /** Null where the job takes no checkpoints. */
  barriers: BarrierObserver | null = null;
  #watermarkMs: number;
  /** Whether the watermark that passes is later than any before. */
  #isLater = false;

  /** `restoredWatermarkMs`: the event time that the operators are restored with; -Infinity for none. */
  constructor(stages: readonly ChainStage[], tail: ChainTail, restoredWatermarkMs: number) {
    this.#stages = stages;
    this.#watermarkMs = restoredWatermarkMs;
    this.#tail = tail;
    this.#pending = stages.map(() => new Pending());
    this.outputs = stages.map((_, index) => this.#outputOf(index));
    tail.onReady = () => this.onReady();
    tail.onFailure = (error) => {
      this.#current = stages.length;
      this.#failure = { error };
      this.onReady();
    };
  }

  /** The step whose code ran last, for errors that do not name theirs. */
  get currentStep(): string {
    return this.#stages[this.#current]?.stepId ?? this.#tail.stepId;
  }

  /** The event time that the chain has reached; -Infinity before the first watermark. */
  get watermarkMs(): number {
    return this.#watermarkMs;
  }

  /** What the tail has prepared for the last barrier, or for the end of input. */
  get committables(): readonly Committable[] {
    return this.#tail.committables;
  }

  /** Where the last stage puts the rows of one of its sides. */
  sideOutput(side: string): Output {
    return this.#outputOf(this.#stages.length - 1, side);
  }

  #outputOf(index: number, side: string | null = null): Output {
    const isReady = (): boolean => this.#deepest <= index;
    return {
      get ready() {
        return isReady();
      },
      emit: (batch) => {
        if (batch.rowCount === 0) return;
        const stage = this.#stages[index];
        if (stage !== undefined) stage.recordsOut.value += batch.rowCount;
        this.#put(index + 1, batch, 0, side);
      },
    };
  }

  /**
   * Starts with a batch; only while idle. It is borrowed until the chain is idle again. `stage`: where it enters, as
   * what was on its way to a step in the middle does after a restore; the number of stages for the tail.
   */
  offer(batch: ColumnBatch, input: number, stage = 0): void {
    if (batch.rowCount > 0) this.#put(stage, batch, input, null);
  }

  /** Whether a checkpoint waits for the chain to be empty: then nothing but its barrier enters. */
  get isHurried(): boolean {
    return this.#hurriedId >= 0;
  }

  /** A checkpoint waits: what blocks the chain is put aside until its barrier has left the chain, or calm(). */
  hurry(checkpointId: number): void {
    this.#hurriedId = checkpointId;
    if (this.#control !== null) this.#control = this.#unaligned(this.#control);
    this.#tail.hurry(checkpointId);
    this.onReady();
  }

  /** That checkpoint, or an older one, does not wait any more. */
  calm(checkpointId: number): void {
    if (this.#hurriedId < 0 || this.#hurriedId > checkpointId) return;
    this.#hurriedId = -1;
    this.#tail.calm();
    this.onReady();
  }

  /** Starts with a control element; only while idle. */
  start(element: ChainControl): void {
    const control = this.#hurriedId < 0 ? element : this.#unaligned(element);
    this.#control = control;
    this.#controlStage = 0;
    this.#isFlushed = false;
    if (control.kind !== 'watermark') return;
    this.#isLater = control.timestampMs > this.#watermarkMs;
    if (this.#isLater) this.#watermarkMs = control.timestampMs;
  }

  /** Starts with the alarm of an operator, which has gone off at `nowMs`; only while idle. */
  startAlarm(stage: number, nowMs: number): void {
    this.#control = { kind: 'alarm', nowMs };
    this.#controlStage = stage;
  }

  /** Does one piece of work: at most one call of an operator. Throws what a step throws. */
  step(): ChainProgress {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#isAwaiting) return 'blocked';
    if (this.#deepest >= 0) return this.#stepBatch(this.#deepest);
    if (this.#control !== null) return this.#stepControl(this.#control);
    return this.#hurriedId >= 0 || this.#tail.settle() ? 'idle' : 'blocked';
  }

  /** A barrier that is hurried overtakes. */
  #unaligned<T extends ChainControl | ChainAlarm>(control: T): T {
    // One of an aborted checkpoint does not hold up the others either.
    const isIt = control.kind === 'barrier' && control.checkpointId <= this.#hurriedId;
    return isIt && control.mode === undefined ? { ...control, mode: 'unaligned' } : control;
  }

  #put(stage: number, batch: ColumnBatch, input: number, side: string | null): void {
    this.#deepest = stage;
    if (stage === this.#stages.length) {
      this.#current = stage;
      this.#tail.offer(batch, side);
      return;
    }
    const pending = this.#pending[stage] as Pending;
    pending.batch = batch;
    pending.row = 0;
    pending.input = input;
    pending.isPrepared = false;
  }

  #stepBatch(stage: number): ChainProgress {
    this.#current = stage;
    if (stage === this.#stages.length) {
      if (!this.#tail.take()) return 'blocked';
      this.#rise();
      return 'more';
    }
    const pending = this.#pending[stage] as Pending;
    const { operator, stepId, recordsIn } = this.#stages[stage] as ChainStage;
    const batch = pending.batch as ColumnBatch;
    if (pending.row >= batch.rowCount) {
      // Done before; what was made of it has left the chain.
      pending.batch = null;
      this.#rise();
      return 'more';
    }
    if (!pending.isPrepared) {
      pending.isPrepared = true;
      recordsIn.value += batch.rowCount;
      const prepared = operator?.prepare?.(batch, pending.input);
      if (prepared !== undefined) return this.#await(prepared);
    }
    if (operator === null) {
      pending.row = batch.rowCount;
      this.outputs[stage]?.emit(batch);
      return 'more';
    }
    const next = operator.process(batch, pending.row, pending.input);
    if (this.#deepest === stage && next < batch.rowCount && next <= pending.row) {
      if (operator.waiting !== undefined) return this.#await(operator.waiting());
      throw taskErrors.create('MR-TASK-NO-PROGRESS', { step: stepId, row: next, rows: batch.rowCount });
    }
    pending.row = next;
    return 'more';
  }

  /** The next deepest stage that holds a batch. */
  #rise(): void {
    let stage = this.#deepest - 1;
    while (stage >= 0 && this.#pending[stage]?.batch === null) stage--;
    this.#deepest = stage;
  }

  #stepControl(control: ChainControl | ChainAlarm): ChainProgress {
    const stage = this.#controlStage;
    this.#current = stage;
    const operator = this.#stages[stage]?.operator ?? null;
    if (control.kind === 'alarm') {
      if (operator === null || (operator.onTimer?.(control.nowMs) ?? true)) this.#control = null;
      else return this.#awaitReading(operator);
      return 'more';
    }
    if (stage === this.#stages.length) {
      if (!this.#tail.control(control)) return 'blocked';
      this.#control = null;
      if (control.kind === 'barrier') {
        this.calm(control.checkpointId);
        this.barriers?.left(this.#tail.committables);
      }
      return 'more';
    }
    if (operator === null || this.#passes(operator, control)) {
      this.#controlStage = stage + 1;
      this.#isFlushed = false;
      return 'more';
    }
    return this.#awaitReading(operator);
  }

  /** The operator is not done with what it was asked for. */
  #awaitReading(operator: Operator): ChainProgress {
    const reading = operator.reading?.();
    return reading === undefined ? 'more' : this.#await(reading);
  }

  /** Lets an operator do what a control element asks of it; true once it is done. */
  #passes(operator: Operator, control: ChainControl): boolean {
    if (control.kind === 'latency-marker') return true;
    if (!this.#isFlushed) {
      if (operator.flush !== undefined && !operator.flush()) return false;
      this.#isFlushed = true;
      // What the flush has emitted leaves the chain first.
      if (this.#deepest >= 0 && control.kind !== 'flush') return false;
    }
    if (control.kind === 'watermark') return !this.#isLater || (operator.onWatermark?.(control.timestampMs) ?? true);
    if (control.kind === 'end-of-input') return operator.finish();
    if (control.kind === 'barrier' && operator.state !== undefined) {
      this.barriers?.reached((this.#stages[this.#controlStage] as ChainStage).stepId, operator.state);
    }
    return true;
  }

  #await(promise: Promise<void>): ChainProgress {
    this.#isAwaiting = true;
    promise.then(
      () => {
        this.#isAwaiting = false;
        this.onReady();
      },
      (error: unknown) => {
        this.#isAwaiting = false;
        this.#failure = { error };
        this.onReady();
      },
    );
    return 'blocked';
  }
}
