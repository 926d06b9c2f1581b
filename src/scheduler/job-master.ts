import { deserializeError, toMillraceError } from '../core/index.ts';
import type {
  AttemptId,
  CheckpointStorage,
  CheckpointStorageConfig,
  ConnectorCatalog,
  JobId,
  MillraceError,
  Ports,
  StateFile,
  StateSchema,
  Timer,
} from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';
import type { JobStore } from '../ha/index.ts';
import { JobMetricsCollector } from '../metrics/index.ts';
import type { JobMetrics } from '../metrics/index.ts';
import { EpochFence, isTerminalJob } from '../rpc/index.ts';
import type {
  CheckpointAcknowledgement,
  CheckpointDecline,
  JobMasterGateway,
  JobState,
  ProgressReport,
  RpcTransport,
  TaskEnded,
  TaskReference,
  TaskState,
  TaskStateChange,
  TerminalJobState,
} from '../rpc/index.ts';
import { Checkpointer, savepointFailed } from './checkpoint/checkpointer.ts';
import type { OpenStorage, SavepointRequest } from './checkpoint/checkpointer.ts';
import type { CheckpointHistory } from './checkpoint/checkpoint-history.ts';
import { schedulerErrors } from './errors.ts';
import type { Execution } from './execution-graph.ts';
import { JobAttempt } from './job-attempt.ts';
import { jobTransitions } from './job-state.ts';
import { nextJobState } from './next-job-state.ts';
import { JobRecovery } from './recovery/job-recovery.ts';
import type { StartedRun } from './recovery/job-recovery.ts';
import { decideRestart, noFailures } from './recovery/restart-strategy.ts';
import type { RestartMemory } from './recovery/restart-strategy.ts';
import { slotsNeeded } from './slice-plan.ts';
import type { AllocatedSlot, FreeSlot, SlotPool } from './slot-pool.ts';
import { move } from './state-machine.ts';
import type { JobOrigin, StartMode } from './start-mode.ts';
import { stepIdsOf } from './step-ids.ts';
import { withinTimeout } from './within-timeout.ts';

export interface JobMasterOptions {
  readonly jobId: JobId;
  readonly graph: JobGraph;
  readonly epoch: number;
  readonly ports: Ports;
  readonly catalog: ConnectorCatalog;
  readonly rpc: RpcTransport;
  readonly slots: SlotPool;
  /** How long the job waits for slots before it fails. */
  readonly slotTimeoutMs: number;
  /** Where the job's record is kept; null where jobs take no checkpoints. */
  readonly store: JobStore | null;
  readonly storage: CheckpointStorage | null;
  /** What slots make their own storage from: the same place as `storage`. */
  readonly storageConfig: CheckpointStorageConfig | null;
  /** Opens where a savepoint goes; absent where there are none. */
  readonly openStorage?: OpenStorage | null;
  readonly start: StartMode;
  /** Whether steps that the checkpoint knows and the job does not may lose their state. */
  readonly allowDroppedState: boolean;
  /** What the operators keep, by step: what they cannot take over is found before anything changes. */
  readonly schemas?: ReadonlyMap<string, StateSchema>;
}

/** How long a job that is cancelled or fails waits for what it tidies up outside, and for what it was just doing. */
const SETTLE_TIMEOUT_MS = 5000;

/**
 * Runs one job, attempt by attempt: recovers what earlier executions have left, prepares sources and sinks, gets slots,
 * deploys, and follows the tasks until all have ended. A failure cancels all tasks; then the restart strategy decides.
 */
export class JobMaster implements JobMasterGateway {
  readonly jobId: JobId;
  readonly graph: JobGraph;
  /** Resolves when the job has ended and holds nothing any more. Never rejects. */
  readonly result: Promise<{ readonly state: TerminalJobState; readonly error: MillraceError | null }>;
  readonly #options: JobMasterOptions;
  readonly #fence: EpochFence;
  readonly #metrics: JobMetricsCollector;
  readonly #listeners = new Set<(state: JobState) => void>();
  #address = '';
  /** Both null where the job takes no checkpoints. */
  readonly #recovery: JobRecovery | null;
  readonly #checkpointer: Checkpointer | null;
  #attempt: JobAttempt | null = null;
  /** The way of the present attempt to its deployment: what ends it, and when it has ended. */
  #launch: { readonly control: AbortController; readonly done: Promise<void> } | null = null;
  #slots: readonly AllocatedSlot[] | null = null;
  #state: JobState = 'INITIALIZING';
  #origin: JobOrigin | null = null;
  #memory: RestartMemory = noFailures;
  /** Null unless a failure is going to be followed by a restart. */
  #restartDelayMs: number | null = null;
  #restartTimer: Timer | null = null;
  #restarts = 0;
  #lastFailure: MillraceError | null = null;
  #hasDeployed = false;
  #haveAllRun = false;
  /** All tasks of the attempt have ended, and what it held is being given back. */
  #isClosing = false;
  #withdraw: () => void = () => undefined;
  #resolve: (result: { readonly state: TerminalJobState; readonly error: MillraceError | null }) => void = () =>
    undefined;

  constructor(options: JobMasterOptions) {
    const { jobId, graph, ports } = options;
    this.jobId = jobId;
    this.graph = graph;
    this.#options = options;
    this.#fence = new EpochFence(`the JobMaster of ${jobId}`);
    const steps = graph.vertices.flatMap(({ chain }) => chain.flatMap(stepIdsOf));
    this.#metrics = new JobMetricsCollector(steps, ports.clock);
    const { recovery, checkpointer } = this.#createCheckpointing();
    this.#recovery = recovery;
    this.#checkpointer = checkpointer;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get state(): JobState {
    return this.#state;
  }

  onStateChange(listener: (state: JobState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  metrics(): JobMetrics {
    return this.#metrics.snapshot();
  }

  /** The tasks of the newest attempt and where each stands; none before the first. */
  get executions(): readonly Execution[] {
    return this.#attempt?.executions ?? [];
  }

  /** What the job has started from, the last time; null until that is known. */
  get origin(): JobOrigin | null {
    return this.#origin;
  }

  /** How often the job was restarted after a failure. */
  get restarts(): number {
    return this.#restarts;
  }

  /** What led to the last restart, or has just made the job fail. */
  get lastFailure(): MillraceError | null {
    return this.#lastFailure;
  }

  /** What passes between that failure and the next attempt; null where none follows, or once it has begun. */
  get restartDelayMs(): number | null {
    return this.#restartDelayMs;
  }

  checkpoints(): CheckpointHistory {
    return this.#checkpointer?.history() ?? { completedCount: 0, abortedCount: 0, recent: [] };
  }

  /** Called once. What goes wrong is told by `result`. */
  start(): void {
    const { address, withdraw } = this.#options.rpc.serve('job-master', `jobmaster/${this.jobId}`, this);
    this.#address = address;
    this.#withdraw = withdraw;
    this.#startAttempt();
  }

  cancel(): void {
    const isAboutToEnd = this.#isClosing && this.#state === 'RUNNING';
    if (isTerminalJob(this.#state) || this.#state === 'CANCELLING' || isAboutToEnd) return;
    this.#move('CANCELLING');
    this.#abandonAttempt();
    this.#settle();
  }

  /**
   * A checkpoint that is copied to a place of its own once its output is committed. A job that is stopped with it is
   * cancelled then, and has given no row behind it. Rejects with MR-JOB-SAVEPOINT-FAILED; then the job goes on.
   */
  async savepoint(request: SavepointRequest): Promise<StateFile> {
    const isEnding = this.#isClosing && this.#state === 'RUNNING';
    if (isEnding || isTerminalJob(this.#state) || this.#state === 'FAILING' || this.#state === 'CANCELLING') {
      throw savepointFailed(`the job is ${isEnding ? 'about to end' : this.#state}`);
    }
    const { openStorage } = this.#options;
    if (this.#checkpointer === null || !openStorage) throw savepointFailed('the job takes no checkpoints');
    const file = await this.#checkpointer.savepoint(request);
    if (request.stopsSources) this.cancel();
    return file;
  }

  taskStateChanged({ epoch, attemptId, state, error }: TaskStateChange): Promise<void> {
    this.#fence.check(epoch);
    this.#taskReported(attemptId, state, error === null ? null : deserializeError(error));
    return Promise.resolve();
  }

  acknowledgeCheckpoint(message: CheckpointAcknowledgement): Promise<void> {
    this.#fence.check(message.epoch);
    this.#checkpointer?.acknowledged(message);
    return Promise.resolve();
  }

  declineCheckpoint({ epoch, attemptId, checkpointId, error }: CheckpointDecline): Promise<void> {
    this.#fence.check(epoch);
    this.#checkpointer?.declined(attemptId, checkpointId, error);
    return Promise.resolve();
  }

  checkpointCommitted({ epoch, attemptId, checkpointId }: TaskReference & { readonly checkpointId: number }) {
    this.#fence.check(epoch);
    this.#checkpointer?.committed(attemptId, checkpointId);
    return Promise.resolve();
  }

  taskEnded({ epoch, attemptId, snapshot }: TaskEnded): Promise<void> {
    this.#fence.check(epoch);
    this.#checkpointer?.ended(attemptId, snapshot);
    return Promise.resolve();
  }

  reportProgress({ epoch, steps, sources }: ProgressReport): Promise<void> {
    this.#fence.check(epoch);
    this.#metrics.report(steps);
    if (sources.length > 0) this.#attempt?.align(sources);
    return Promise.resolve();
  }

  #createCheckpointing(): { readonly recovery: JobRecovery | null; readonly checkpointer: Checkpointer | null } {
    const { graph, store, storage, ports } = this.#options;
    const settings = graph.checkpoint;
    if (settings === null || store === null || storage === null) return { recovery: null, checkpointer: null };
    const recovery = new JobRecovery({ ...this.#options, settings, store, storage });
    const checkpointer = new Checkpointer({
      graph,
      settings,
      ports,
      storage,
      recovery,
      openStorage: this.#options.openStorage ?? null,
      send: async (task, call) => this.#attempt?.send(task, call),
      fail: (error) => {
        this.#fail(error);
      },
    });
    return { recovery, checkpointer };
  }

  #startAttempt(): void {
    const control = new AbortController();
    const done = this.#runAttempt(control.signal).catch((error: unknown) => {
      // Whoever has ended it knows why.
      if (!control.signal.aborted) this.#fail(error);
    });
    this.#launch = { control, done };
  }

  /** From what earlier executions have left to the deployment. Rejects once the signal is aborted. */
  async #runAttempt(signal: AbortSignal): Promise<void> {
    const started = (await this.#recovery?.begin(this.#checkpointer?.firstFreeId ?? null, signal)) ?? null;
    signal.throwIfAborted();
    this.#origin = started?.origin ?? { kind: 'anew' };
    const attempt = this.#createAttempt(started, signal);
    this.#attempt = attempt;
    this.#haveAllRun = false;
    await attempt.prepare();
    signal.throwIfAborted();
    this.#move('CREATED');
    this.#move('RUNNING');
    attempt.schedule();
    this.#slots ??= await this.#allocate(signal);
    if (started !== null) this.#checkpointer?.begin(started, attempt.executions);
    this.#hasDeployed = true;
    attempt.deploy(this.#slots);
  }

  #createAttempt(started: StartedRun | null, signal: AbortSignal): JobAttempt {
    const { storageConfig: storage } = this.#options;
    return new JobAttempt({
      ...this.#options,
      address: this.#address,
      number: started === null ? this.#restarts : started.run.generation - 1,
      run: started?.run ?? null,
      storage,
      restored: started?.restored ?? null,
      taskEnded: (task, state, error) => {
        this.#taskReported(task, state, error);
      },
      failed: (error) => {
        if (!signal.aborted) this.#fail(error);
      },
    });
  }

  async #allocate(signal: AbortSignal): Promise<readonly AllocatedSlot[]> {
    const { slots, slotTimeoutMs, ports } = this.#options;
    const needed = slotsNeeded(this.graph);
    const timer = ports.clock.schedule(slotTimeoutMs, () => {
      const seconds = Math.round(slotTimeoutMs / 1000);
      const { freeCount: free, totalCount: total } = slots;
      this.#fail(schedulerErrors.create('MR-JOB-NO-SLOTS', { needed, free, total, seconds }));
    });
    try {
      const choose = (free: readonly FreeSlot[]) => (free.length < needed ? null : free.slice(0, needed));
      return await Promise.race([slots.allocate(this.jobId, { count: needed, choose }), rejectionOf(signal)]);
    } catch (error) {
      slots.release(this.jobId);
      throw error;
    } finally {
      timer.cancel();
    }
  }

  #taskReported(attemptId: AttemptId, report: TaskState, error: MillraceError | null): void {
    const execution = this.#attempt?.report(attemptId, report) ?? null;
    if (execution === null) return;
    if (execution.state === 'FINISHED') this.#checkpointer?.finished(attemptId);
    if (execution.state === 'FAILED') {
      this.#fail(error ?? toMillraceError(new Error(`task ${attemptId} failed and did not say why`)));
    }
    const isReady = this.executions.every(({ state }) => state === 'RUNNING' || state === 'FINISHED');
    if (isReady && !this.#haveAllRun && this.#state === 'RUNNING') {
      this.#haveAllRun = true;
      this.#checkpointer?.allRunning();
    }
    this.#settle();
  }

  /** Ends the attempt, and decides whether there will be another. */
  #fail(error: unknown): void {
    const isEnding = this.#isClosing || this.#state === 'FAILING' || this.#state === 'CANCELLING';
    if (isTerminalJob(this.#state) || isEnding) return;
    const failure = toMillraceError(error);
    this.#lastFailure = failure;
    this.#restartDelayMs = this.#decideRestart(failure);
    this.#move('FAILING');
    this.#abandonAttempt();
    this.#settle();
  }

  /** The delay before the next attempt, or null for none. */
  #decideRestart(failure: MillraceError): number | null {
    // Whoever has just started a job wants to know what is wrong with it.
    if (this.#state === 'INITIALIZING' || failure.retry === 'never') return null;
    const { clock, randomness } = this.#options.ports;
    const decision = decideRestart(this.graph.restart, this.#memory, clock.monotonicMs(), randomness.next());
    if (decision.kind === 'give-up') return null;
    this.#memory = decision.memory;
    return decision.delayMs;
  }

  #abandonAttempt(): void {
    this.#restartTimer?.cancel();
    this.#restartTimer = null;
    this.#launch?.control.abort();
    void this.#checkpointer?.stop();
    this.#attempt?.cancel();
  }

  /** Draws the conclusions from the states of the tasks. */
  #settle(): void {
    if (this.#isClosing) return;
    const states = this.#attempt?.states ?? [];
    const next = nextJobState(this.#state, states, this.#restartDelayMs !== null);
    // That a task has failed is told by its report.
    if (next === null || next === 'FAILING') return;
    this.#isClosing = true;
    void this.#closeAttempt();
  }

  /** All tasks have ended: gives back what the attempt held. Then the job ends or waits for the next one. */
  async #closeAttempt(): Promise<void> {
    const { clock } = this.#options.ports;
    const attempt = this.#attempt;
    await Promise.all([
      this.#checkpointer?.stop(),
      this.#launch === null ? null : withinTimeout(clock, SETTLE_TIMEOUT_MS, this.#launch.done),
    ]);
    const isFreed = (await attempt?.close()) ?? true;
    if (!isFreed) {
      this.#recovery?.lingers((attempt?.number ?? 0) + 1);
      this.#releaseSlots();
    }
    // It may have been cancelled meanwhile.
    if (this.#state === 'FAILING' && this.#restartDelayMs !== null) this.#waitForRestart(this.#restartDelayMs);
    else await this.#end(this.#state === 'RUNNING' ? 'FINISHED' : this.#state === 'FAILING' ? 'FAILED' : 'CANCELED');
  }

  #waitForRestart(delayMs: number): void {
    this.#isClosing = false;
    this.#restarts++;
    this.#move('RESTARTING');
    this.#restartTimer = this.#options.ports.clock.schedule(delayMs, () => {
      this.#restartTimer = null;
      this.#restartDelayMs = null;
      this.#startAttempt();
    });
  }

  /** Gives back what the job holds, then ends it. */
  async #end(state: TerminalJobState): Promise<void> {
    const { clock } = this.#options.ports;
    if (this.#recovery !== null && this.#hasDeployed) {
      const last = state === 'FINISHED' ? this.#recovery.finish() : this.#recovery.settle();
      // Where it does not succeed, the next start does it, or finds that nothing is left to do.
      await withinTimeout(clock, SETTLE_TIMEOUT_MS, last);
    }
    void this.#recovery?.close();
    this.#releaseSlots();
    this.#withdraw();
    this.#metrics.end();
    this.#move(state);
    this.#resolve({ state, error: state === 'FAILED' ? this.#lastFailure : null });
  }

  #releaseSlots(): void {
    this.#slots = null;
    this.#options.slots.release(this.jobId);
  }

  #move(to: JobState): void {
    this.#state = move(jobTransitions, `job ${this.graph.name}`, this.#state, to);
    for (const listener of [...this.#listeners]) listener(to);
  }
}

/** Rejects once the signal is aborted, with its reason. */
function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => {
      reject(toMillraceError(signal.reason));
    };
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
