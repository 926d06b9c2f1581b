/**
 * The contract of everything that runs inside a subtask, in the order in which its methods are called.
 *
 * A subtask is a chain: one head (a SourceReader, or the exchange that feeds the chain), operators, one tail (a
 * SinkWriter, or the exchange to the next chains). The task loop of `taskmanager` drives it on one thread. All methods
 * but those that return a promise are synchronous and short: they must return within a few milliseconds, so a large
 * amount of work is done in pieces. None is called while another of the same subtask is running.
 */
import type { ColumnBatch } from './batch.ts';
import type { OperatorState } from './checkpoint.ts';
import type { KeyGroupWatermarks } from './key-group-watermarks.ts';
import type { Ports } from './ports.ts';
import type { SpillSpace } from './spill.ts';

/** A number that its owner raises and the task's reporter reads; plain, because both are on one thread. */
export interface Counter {
  value: number;
}

export interface TaskContext {
  readonly jobName: string;
  readonly stepId: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly ports: Ports;
  /** The counter of this step and name, made at first use. Names are in core/counter-names.ts. */
  counter(name: string): Counter;
}

/** Where an operator puts its output. */
export interface Output {
  /** False while the receiver still works on the last batch or is out of buffers. */
  readonly ready: boolean;
  /**
   * Hands on a batch; call only while `ready`. The batch is borrowed by the receiver until `ready` is true again. A
   * batch without rows is ignored.
   */
  emit(batch: ColumnBatch): void;
}

/** The side of rows that came too late. */
export const LATE_SIDE = 'late';

export interface OperatorContext extends TaskContext {
  readonly output: Output;
  /**
   * Where rows go that are no part of the output, by the name of the side; a side that nobody reads has none. They are
   * ready when `output` is, and none of them is once a batch was put into one. LATE_SIDE: rows that came too late,
   * with the fields of the input.
   */
  readonly sideOutputs?: ReadonlyMap<string, Output>;
  /** What happens to a row that the operator throws a record-scope error for. */
  readonly errors: RecordErrorHandler;
  /** The event time that the checkpoint had reached from which this operator is restored; -Infinity without one. */
  readonly restoredWatermarkMs: number;
  /** Key groups of this subtask that were further than that; absent for none. */
  readonly restoredAhead?: KeyGroupWatermarks;
  /**
   * Asks for onTimer() once the clock (Clock.nowMs) has reached `atMs`, soon after where it has already; Infinity for
   * no more. There is one alarm: a later call replaces an earlier one.
   */
  setAlarm(atMs: number): void;
  /** Where entries go that memory has no room for; absent where the job keeps all of them in memory. */
  readonly spill?: SpillSpace;
}

/** The job's answer to record errors of one chain. */
export interface RecordErrorHandler {
  /**
   * Decides about a row whose processing threw: returns if the row is to be skipped (it was counted, and sent to the
   * dead-letter target where there is one), throws the error to fail the job, completed with the row's position and
   * the step's id.
   */
  handle(batch: ColumnBatch, row: number, stepId: string, error: unknown): void;
}

export interface Operator {
  /** Called once, before anything else. */
  open(context: OperatorContext): void | Promise<void>;
  /**
   * Present where it remembers anything between two batches. After open(), restore() is called with what it remembered;
   * at each barrier, after flush(), snapshot(). Absent (undefined) where a failure loses nothing.
   */
  readonly state?: OperatorState | undefined;
  /**
   * Called once before the first process() of a batch. A promise holds the batch back until it resolves (state that
   * has to be read from disk first); undefined lets it pass at once. `input` is as in process().
   */
  prepare?(batch: ColumnBatch, input: number): Promise<void> | undefined;
  /**
   * Processes rows from `fromRow` on and returns the next row to do; `batch.rowCount` means that the batch is done. It
   * returns early only where `output.ready` became false, and is called again with the returned row once it is true;
   * or where waiting() says what it waits for; or, with at least one row done, where the rows of a batch take long: it
   * is called again after other work.
   * `input` is the position in the step's `from` list.
   */
  process(batch: ColumnBatch, fromRow: number, input: number): number;
  /**
   * Present where process() waits for something outside, such as the answer of a service. Asked where it has returned
   * early although `output.ready`: process() is called again once the promise has resolved. Whatever follows the batch
   * (barriers, watermarks) waits too.
   */
  waiting?(): Promise<void>;
  /**
   * The event time has reached `timestampMs`. Returns true when all output of it has been emitted, false to be called
   * again once `output.ready`. The watermark is passed on afterwards by the task loop.
   */
  onWatermark?(timestampMs: number): boolean;
  /** The alarm that was set (OperatorContext.setAlarm) has gone off at `nowMs`. As onWatermark, resumable. */
  onTimer?(nowMs: number): boolean;
  /**
   * Everything before has been processed: called after each run of batches when no more input is at hand, so that
   * buffered output does not wait for input that may never come. As onWatermark, resumable.
   */
  flush?(): boolean;
  /** All inputs have ended. As onWatermark, resumable. Then only close() follows. */
  finish(): boolean;
  /**
   * Asked where onWatermark(), onTimer(), flush() or finish() has returned false. A promise holds the next call back
   * until it resolves (state that has to be read from disk first); undefined where `output` alone is waited for.
   */
  reading?(): Promise<void> | undefined;
  /**
   * Called once, also after a failure or a cancellation, and also when open() failed; releases everything. A
   * cancellation does not wait for promises of open(), prepare() or reading(): close() may come while they are pending.
   */
  close(): void | Promise<void>;
}
