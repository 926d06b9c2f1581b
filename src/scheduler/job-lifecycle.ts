import { toMillraceError } from '../core/index.ts';
import type { AttemptId, MillraceError } from '../core/index.ts';
import type { ExecutionPlan } from '../ha/index.ts';
import { isTerminalJob } from '../rpc/index.ts';
import type { JobState, TaskState, TerminalJobState } from '../rpc/index.ts';
import type { Execution } from './execution-graph.ts';
import { JobAttempts } from './job-attempts.ts';
import { createCheckpointing } from './job-checkpointing.ts';
import type { JobCheckpointing } from './job-checkpointing.ts';
import { JobFailures } from './job-failures.ts';
import type { JobMasterOptions } from './job-master-options.ts';
import { JobSlots } from './job-slots.ts';
import { JobStatus } from './job-status.ts';
import { nextJobState } from './next-job-state.ts';
import type { AdoptedAttempt } from './recovery/adopt-attempt.ts';
import { LONGEST_DELAY_MS } from './recovery/part-failover.ts';
import type { LostSlots } from './slot-pool.ts';
import { withinTimeout } from './within-timeout.ts';

export interface JobLifecycleWorld {
  /** Where the JobMasterGateway is served. */
  readonly address: () => string;
  /** Reports that were held until it is known whose tasks they are of can be let go. */
  readonly takenOver: () => void;
  /** Nothing is done here for the job any more. */
  readonly over: () => void;
}

/** What those say who know of a newer leader: the store, and whoever is called. */
const DEPOSED: ReadonlySet<string> = new Set(['MR-HA-FENCED', 'MR-RPC-STALE-EPOCH']);
/** How long a job that has ended waits for what it tidies up outside. */
const SETTLE_TIMEOUT_MS = 5000;

/**
 * What becomes of a job: from what its tasks and slots report to the states that it goes through, from attempt to
 * attempt. A failure ends a part of the attempt or all of it; then the restart strategy decides.
 */
export class JobLifecycle {
  readonly status: JobStatus;
  readonly slots: JobSlots;
  readonly failures: JobFailures;
  readonly checkpointing: JobCheckpointing;
  readonly attempts: JobAttempts;
  readonly #options: JobMasterOptions;
  readonly #world: JobLifecycleWorld;
  #isTakingOver = false;
  /** Somebody wants the job cancelled once that is over. */
  #isCancelWanted = false;
  #isAbandoned = false;
  #haveAllRun = false;
  /** All tasks of the attempt have ended, and what it held is being given back. */
  #isClosing = false;

  constructor(options: JobMasterOptions, world: JobLifecycleWorld) {
    const { jobId, graph, ports } = options;
    this.#options = options;
    this.#world = world;
    this.status = new JobStatus(graph.name);
    this.failures = new JobFailures(graph.restart, ports, options.earlier);
    this.slots = new JobSlots(jobId, options.slots, ports.clock, (lost) => {
      this.#slotsLost(lost);
    });
    const failed = (error: unknown): void => {
      this.#fail(error);
    };
    this.checkpointing = createCheckpointing(options, {
      send: async (task, call) => this.attempts.current?.send(task, call),
      unreachable: (task, error) => {
        this.taskReported(task, 'FAILED', toMillraceError(error));
      },
      fail: failed,
    });
    this.attempts = new JobAttempts({
      ...{ job: options, slots: this.slots, checkpointing: this.checkpointing, address: world.address, failed },
      prepared: () => {
        this.#haveAllRun = false;
        this.status.moveToRunning();
      },
      taskEnded: (task, state, error) => {
        this.taskReported(task, state, error);
      },
    });
  }

  get isTakingOver(): boolean {
    return this.#isTakingOver;
  }

  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** All its tasks have come to their end by themselves: nothing can be done with it any more. */
  get isAboutToEnd(): boolean {
    return this.#isClosing && this.#state === 'RUNNING';
  }

  get #state(): JobState {
    return this.status.state;
  }

  start(): void {
    this.attempts.start();
  }

  /** As JobMaster does; resolves once it is decided what becomes of the attempt. */
  async takeOver(plan: ExecutionPlan): Promise<void> {
    this.#isTakingOver = true;
    const adopted = await this.attempts.adopt(plan).catch((error: unknown) => {
      this.failures.note(toMillraceError(error));
      return null;
    });
    if (this.#isAbandoned) return;
    this.#isTakingOver = false;
    if (adopted?.kind === 'runs') this.#resume(adopted);
    this.#world.takenOver();
    if (adopted?.kind === 'finished') await this.#finishAgain();
    else if (this.#isCancelWanted) this.cancel();
    else if (adopted === null) this.attempts.start();
    else this.#settle();
  }

  #resume(adopted: AdoptedAttempt): void {
    this.#haveAllRun = true;
    this.status.allRun();
    this.status.moveToRunning();
    this.attempts.resume(adopted);
  }

  /** An earlier leader has ended the job, and could not say so any more. */
  async #finishAgain(): Promise<void> {
    this.status.moveToRunning();
    this.#isClosing = true;
    await this.#end('FINISHED');
  }

  /** Where it is being taken over, once that is decided. */
  cancel(): void {
    if (this.#isTakingOver) this.#isCancelWanted = true;
    if (isTerminalJob(this.#state) || this.#state === 'CANCELLING' || this.isAboutToEnd) return;
    if (this.#isTakingOver || this.#isAbandoned) return;
    this.status.move('CANCELLING');
    this.#abandonAttempt();
    this.#settle();
  }

  /**
   * The leadership is lost: nothing more is done here, and nothing is undone. Tasks, transactions, slots and the record
   * are the next leader's. Harmless when repeated.
   */
  abandon(): void {
    if (this.#isAbandoned || isTerminalJob(this.#state)) return;
    this.#isAbandoned = true;
    this.failures.cancelRestart();
    this.checkpointing.checkpointer?.abandon();
    this.attempts.abandon();
    void this.checkpointing.recovery?.close();
    this.slots.abandon();
    this.#world.over();
  }

  #slotsLost(lost: LostSlots): void {
    // Between two attempts nothing runs in them.
    if (this.#state === 'RESTARTING') {
      this.slots.release();
      return;
    }
    // What a TaskManager that is drained still runs can be ended in order.
    if (lost.error.code !== 'MR-TASK-MANAGER-DRAINED') {
      const slices = this.slots.slicesOf(lost.slotIds);
      const { parts } = this.attempts;
      if (parts !== null && slices.every((slice) => parts.isEnding(slice))) {
        // Somebody was told first that one of its tasks cannot be reached: that restart takes other slots.
        this.attempts.current?.lost(lost);
        return;
      }
      const isPart = this.#restartPart(slices, lost.error);
      if (!isPart) void parts?.abort();
      this.attempts.current?.lost(lost);
      if (isPart) return;
    }
    this.#fail(lost.error);
  }

  /** Returns false where the whole job has to fail. */
  #restartPart(failed: readonly number[], failure: MillraceError): boolean {
    const parts = this.attempts.parts;
    const canGoOn = this.#state === 'RUNNING' && this.#haveAllRun && !this.#isClosing && !DEPOSED.has(failure.code);
    if (!canGoOn || parts === null || this.#isAbandoned) return false;
    const slices = parts.slicesFor(failed);
    if (slices === null) return false;
    const delayMs = this.failures.add(failure, true);
    if (delayMs === null || delayMs > LONGEST_DELAY_MS) {
      this.#endAttempt(failure, delayMs);
      return true;
    }
    this.failures.restartsPart(failure);
    this.#haveAllRun = false;
    parts.begin(slices, delayMs);
    return true;
  }

  /** Told by the task, or in its name. */
  taskReported(attemptId: AttemptId, report: TaskState, error: MillraceError | null): void {
    if (this.#isTakingOver || this.#isAbandoned) return;
    const execution = this.attempts.current?.report(attemptId, report) ?? null;
    if (execution === null) return;
    if (execution.state === 'FINISHED') this.checkpointing.checkpointer?.finished(attemptId);
    if (execution.state === 'FAILED') this.#taskFailed(execution, error);
    const isWhole = this.attempts.parts?.taskChanged() ?? true;
    const { executions } = this.attempts;
    const isReady = isWhole && executions.every(({ state }) => state === 'RUNNING' || state === 'FINISHED');
    if (isReady && !this.#haveAllRun && this.#state === 'RUNNING') {
      this.#haveAllRun = true;
      this.status.allRun();
      this.checkpointing.checkpointer?.allRunning();
    }
    this.#settle();
  }

  #taskFailed({ attemptId, subtaskIndex }: Execution, error: MillraceError | null): void {
    if (this.attempts.parts?.isEnding(subtaskIndex) === true) return;
    const failure = error ?? toMillraceError(new Error(`task ${attemptId} failed and did not say why`));
    if (!this.#restartPart([subtaskIndex], failure)) this.#fail(failure);
  }

  /** Ends the attempt, and decides whether there will be another. */
  #fail(error: unknown): void {
    const isEnding = this.#isClosing || this.#state === 'FAILING' || this.#state === 'CANCELLING';
    if (isTerminalJob(this.#state) || isEnding) return;
    if (this.#isTakingOver || this.#isAbandoned) return;
    const failure = toMillraceError(error);
    // The tasks are another leader's: ending them is not ours any more.
    if (DEPOSED.has(failure.code) && this.#options.plans != null) {
      this.abandon();
      return;
    }
    // Whoever has just started a job wants to know what is wrong with it.
    const mayRestart = this.#state !== 'INITIALIZING' || this.attempts.hasDeployed;
    this.#endAttempt(failure, this.failures.add(failure, mayRestart));
  }

  /** Null for no restart. */
  #endAttempt(failure: MillraceError, restartDelayMs: number | null): void {
    this.failures.endsAttempt(failure, restartDelayMs);
    this.status.move('FAILING');
    this.#abandonAttempt();
    this.#settle();
  }

  #abandonAttempt(): void {
    this.failures.cancelRestart();
    this.attempts.cancel();
  }

  /** Draws the conclusions from the states of the tasks. */
  #settle(): void {
    if (this.#isClosing || this.#isTakingOver || this.#isAbandoned) return;
    const states = this.attempts.current?.states ?? [];
    const next = nextJobState(this.#state, states, this.failures.restartDelayMs !== null);
    // That a task has failed is told by its report.
    if (next === null || next === 'FAILING') return;
    this.#isClosing = true;
    void this.#closeAttempt();
  }

  /** All tasks have ended: gives back what the attempt held. Then the job ends or waits for the next one. */
  async #closeAttempt(): Promise<void> {
    const isFreed = await this.attempts.close();
    if (this.#isAbandoned) return;
    if (!isFreed || this.slots.haveLosses) this.slots.release();
    // It may have been cancelled meanwhile.
    if (this.#state === 'FAILING' && this.failures.restartDelayMs !== null) this.#delayRestart();
    else await this.#end(this.#state === 'RUNNING' ? 'FINISHED' : this.#state === 'FAILING' ? 'FAILED' : 'CANCELED');
  }

  #delayRestart(): void {
    this.#isClosing = false;
    this.failures.delayRestart(() => {
      this.attempts.start();
    });
    this.status.move('RESTARTING');
  }

  /** Gives back what the job holds, then ends it. */
  async #end(state: TerminalJobState): Promise<void> {
    const { recovery, checkpointer } = this.checkpointing;
    // Whoever has asked for a savepoint while it was being taken over is not going to get one.
    void checkpointer?.stop();
    if (recovery !== null && this.attempts.hasDeployed) {
      const last = state === 'FINISHED' ? recovery.finish() : recovery.settle();
      // Where it does not succeed, the next start does it, or finds that nothing is left to do.
      await withinTimeout(this.#options.ports.clock, SETTLE_TIMEOUT_MS, last);
    }
    if (this.#isAbandoned) return;
    void recovery?.close();
    this.slots.close();
    this.#world.over();
    this.status.end(state, state === 'FAILED' ? this.failures.last : null);
  }
}
