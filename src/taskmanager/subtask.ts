import type { AttemptId, MillraceError, Ports } from '../core/index.ts';
import { stepFailure } from '../rpc/index.ts';
import type { CheckpointTrigger, TaskState } from '../rpc/index.ts';
import type { Alarms } from './alarms.ts';
import type { Chain } from './chain.ts';
import { SourceHead } from './chain-head.ts';
import type { ChainHead } from './chain-head.ts';
import type { AlignmentTimeout } from './checkpoints/alignment-timeout.ts';
import type { RecoveredRows } from './checkpoints/recovered-rows.ts';
import type { CheckpointReports, SubtaskCheckpoints } from './checkpoints/subtask-checkpoints.ts';
import type { RuntimeLimits } from './runtime-limits.ts';
import type { TaskCounters } from './task-counters.ts';
import type { Runnable, TaskLoop } from './task-loop.ts';
import { TaskTime, type TimeUse } from './task-time.ts';

/** A part of a subtask that is opened before it runs and closed after. */
export interface SubtaskPart {
  readonly stepId: string;
  open(): void | Promise<void>;
  close(): void | Promise<void>;
}

export interface SubtaskParts {
  readonly attemptId: AttemptId;
  readonly subtaskIndex: number;
  readonly counters: TaskCounters;
  /** Whether others read what it gives. */
  readonly hasOutputs: boolean;
  readonly chain: Chain;
  readonly head: ChainHead;
  readonly alarms: Alarms;
  /** Null where the job takes no checkpoints. */
  readonly checkpoints: SubtaskCheckpoints | null;
  readonly timeout: AlignmentTimeout;
  /** Filled by `restore`. */
  readonly recovered: RecoveredRows;
  /** In the order of opening: from the tail to the head, so that nobody is fed before it is ready. */
  readonly parts: readonly SubtaskPart[];
  /**
   * Gives the parts back what a checkpoint holds, once all are open; null where there is nothing. Stops early, and
   * calls no part any more, once `isCancelled`.
   */
  readonly restore: ((isCancelled: () => boolean) => Promise<void>) | null;
  /** Ends the channels, at the very last. */
  readonly disconnect: () => void;
}

export interface SubtaskSurroundings {
  readonly ports: Ports;
  readonly limits: RuntimeLimits;
  readonly loop: TaskLoop;
  readonly onState: (subtask: Subtask, state: TaskState, error: MillraceError | null) => void;
  readonly reports: (subtask: Subtask) => CheckpointReports;
}

type Phase =
  | 'created'
  | 'opening'
  | 'running'
  /** The end of input passes the chain. */
  | 'finishing'
  /** All input is processed; a checkpoint that says so is not complete yet. */
  | 'waiting'
  | 'closing'
  | 'ended';

/**
 * One subtask on its slot's thread: opens its parts, drives its chain until the end of input, a failure or a
 * cancellation, and closes. It never blocks: it runs when the loop has a turn for it, and waits by not being woken.
 */
export class Subtask implements Runnable {
  readonly attemptId: AttemptId;
  readonly subtaskIndex: number;
  readonly counters: TaskCounters;
  /** What its time goes into, while it runs. */
  readonly time: TaskTime;
  readonly #parts: SubtaskParts;
  readonly #around: SubtaskSurroundings;
  #phase: Phase = 'created';
  #openCount = 0;
  /** Whether something may be buffered that a pause or the flush interval has to let go. */
  #isDirty = false;
  #flushAtMs = 0;

  constructor(parts: SubtaskParts, around: SubtaskSurroundings) {
    this.attemptId = parts.attemptId;
    this.subtaskIndex = parts.subtaskIndex;
    this.counters = parts.counters;
    this.time = new TaskTime((name) => parts.counters.counter(parts.head.stepId, name));
    this.#parts = parts;
    this.#around = around;
    const wake = (): void => {
      this.wake();
    };
    parts.chain.onReady = wake;
    parts.head.onReady = wake;
    parts.alarms.onDue = wake;
    parts.timeout.onDue = (checkpointId) => this.#hurry(checkpointId);
    parts.checkpoints?.connect({
      loop: around.loop,
      reports: around.reports(this),
      failed: (error) => {
        this.fail(error);
      },
      finished: () => {
        if (this.#phase === 'waiting') void this.#close('FINISHED', null);
      },
    });
  }

  get isRunning(): boolean {
    return this.#phase === 'running';
  }

  wake(): void {
    if (this.#phase === 'running' || this.#phase === 'finishing') this.#around.loop.wake(this);
  }

  /** Opens the parts; the subtask runs when all are open. */
  start(): void {
    this.#phase = 'opening';
    this.#around.onState(this, 'INITIALIZING', null);
    void this.#open();
  }

  /** Ends it as soon as its parts are closed, wherever it is blocked. Harmless once it is ending. */
  cancel(): void {
    if (this.#phase !== 'closing' && this.#phase !== 'ended') void this.#close('CANCELED', null);
  }

  /** Ends it because of an error of a step, or of the present step where none is named. */
  fail(error: unknown, stepId: string = this.#parts.chain.currentStep): void {
    if (this.#phase === 'closing' || this.#phase === 'ended') return;
    void this.#close('FAILED', stepFailure(error, stepId, null));
  }

  /** Puts a barrier into the stream of a source. Harmless once all input is read. */
  triggerCheckpoint(trigger: CheckpointTrigger): void {
    const { head, checkpoints } = this.#parts;
    if (this.#phase === 'created' || this.#phase === 'opening') checkpoints?.refuse(trigger.checkpointId);
    else if (this.#phase === 'running' && head instanceof SourceHead) head.trigger(trigger);
  }

  checkpointCompleted(checkpointId: number): void {
    if (this.#phase !== 'closing' && this.#phase !== 'ended') this.#parts.checkpoints?.completed(checkpointId);
  }

  checkpointAborted(checkpointId: number): void {
    this.#parts.head.abort(checkpointId);
    this.#parts.checkpoints?.aborted(checkpointId);
    this.#parts.chain.calm(checkpointId);
  }

  run(deadlineMs: number): void {
    if (this.#phase !== 'running' && this.#phase !== 'finishing') return;
    const { clock } = this.#around.ports;
    this.time.enter('busy', clock.monotonicMs());
    try {
      this.time.enter(this.#drive(deadlineMs), clock.monotonicMs());
    } catch (error) {
      this.fail(error);
    }
  }

  /** A checkpoint has waited for long enough: its barrier overtakes what it waits for. */
  #hurry(checkpointId: number): void {
    // At the end of input no barrier comes; its last rows wait for room as ever.
    if (this.#phase !== 'running') return;
    this.#parts.head.overtake(checkpointId);
    this.#parts.chain.hurry(checkpointId);
  }

  /** Returns what it does until its next turn. */
  #drive(deadlineMs: number): TimeUse {
    const { chain, hasOutputs } = this.#parts;
    const { clock } = this.#around.ports;
    for (;;) {
      const progress = chain.step();
      // Whoever has nobody behind it waits for its own work: a sink that writes, say.
      if (progress === 'blocked') return hasOutputs ? 'backPressured' : 'busy';
      if (progress === 'idle' && !this.#feed()) return 'idle';
      if (clock.monotonicMs() >= deadlineMs) {
        this.wake();
        return 'busy';
      }
    }
  }

  /** Gives an idle chain something to do; false where there is nothing. */
  #feed(): boolean {
    if (this.#phase !== 'running') {
      this.#finish();
      return false;
    }
    const { chain, recovered } = this.#parts;
    // A barrier is to enter before anything that can wait.
    if (!chain.isHurried && this.#feedFirst()) return true;
    switch (this.#pull()) {
      case 'fed':
        this.#setDirty();
        return true;
      case 'ended':
        if (!recovered.isEmpty) throw new Error('the input has ended, and what was on its way is not processed');
        this.#phase = 'finishing';
        // Time goes on no more.
        this.#parts.alarms.close();
        return true;
      case 'empty':
        return this.#isDirty && !chain.isHurried ? this.#flush() : false;
    }
  }

  /** Feeds what comes before new input. */
  #feedFirst(): boolean {
    const { chain, recovered, alarms } = this.#parts;
    if (!recovered.isEmpty) {
      recovered.feed(chain);
      this.#setDirty();
      return true;
    }
    if (alarms.isDue && this.#startAlarm()) return true;
    return this.#isDirty && this.#around.ports.clock.monotonicMs() >= this.#flushAtMs ? this.#flush() : false;
  }

  #pull(): 'fed' | 'empty' | 'ended' {
    const { chain, head } = this.#parts;
    try {
      return head.pull(chain);
    } catch (error) {
      throw stepFailure(error, head.stepId, null);
    }
  }

  #setDirty(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#flushAtMs = this.#around.ports.clock.monotonicMs() + this.#around.limits.flushIntervalMs;
  }

  #startAlarm(): boolean {
    const { alarms, chain } = this.#parts;
    const stage = alarms.next();
    if (stage < 0) return false;
    chain.startAlarm(stage, this.#around.ports.clock.nowMs());
    this.#setDirty();
    return true;
  }

  /** The end of input has passed the chain. */
  #finish(): void {
    const { checkpoints, head } = this.#parts;
    if (checkpoints === null) {
      void this.#close('FINISHED', null);
      return;
    }
    this.#phase = 'waiting';
    checkpoints.end(head instanceof SourceHead ? head.positions() : []).catch((error: unknown) => {
      this.fail(error);
    });
  }

  #flush(): true {
    this.#isDirty = false;
    this.#parts.chain.start({ kind: 'flush' });
    return true;
  }

  async #open(): Promise<void> {
    for (const part of this.#parts.parts) {
      try {
        this.#openCount++;
        await part.open();
      } catch (error) {
        this.fail(error, part.stepId);
      }
      // A cancellation while a part was opening has closed it already.
      if (this.#phase !== 'opening') return;
    }
    try {
      await this.#parts.restore?.(() => this.#phase !== 'opening');
    } catch (error) {
      this.fail(error);
    }
    if (this.#phase !== 'opening') return;
    this.#phase = 'running';
    if (this.#parts.head instanceof SourceHead) this.#parts.head.start();
    this.#around.onState(this, 'RUNNING', null);
    this.wake();
  }

  /** Closes what was opened, all at once, and tells how it ended. */
  async #close(state: 'FINISHED' | 'CANCELED' | 'FAILED', error: MillraceError | null): Promise<void> {
    this.#phase = 'closing';
    this.#parts.alarms.close();
    this.#parts.checkpoints?.close();
    const opened = this.#parts.parts.slice(0, this.#openCount).reverse();
    const closing = Promise.allSettled(opened.map(closePart));
    const results = await this.#withinTimeout(closing);
    this.#parts.disconnect();
    this.#phase = 'ended';
    const failed = results?.find((result) => result.status === 'rejected');
    if (state === 'FINISHED' && failed !== undefined) {
      this.#around.onState(this, 'FAILED', failed.reason as MillraceError);
    } else this.#around.onState(this, state, error);
  }

  #withinTimeout<T>(promise: Promise<T>): Promise<T | null> {
    const { clock } = this.#around.ports;
    return new Promise((resolve) => {
      const timer = clock.schedule(this.#around.limits.closeTimeoutMs, () => resolve(null));
      void promise.then((value) => {
        timer.cancel();
        resolve(value);
      });
    });
  }
}

async function closePart(part: SubtaskPart): Promise<void> {
  try {
    await part.close();
  } catch (error) {
    throw stepFailure(error, part.stepId, null);
  }
}
