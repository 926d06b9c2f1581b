import { toMillraceError } from '../core/index.ts';
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
import type { ExecutionPlan, JobStore } from '../ha/index.ts';
import { JobMetricsCollector } from '../metrics/index.ts';
import type { JobMetrics } from '../metrics/index.ts';
import { isTerminalJob } from '../rpc/index.ts';
import type { JobState, RpcTransport, TaskState, TerminalJobState } from '../rpc/index.ts';
import { Checkpointer, savepointFailed } from './checkpoint/checkpointer.ts';
import type { OpenStorage, SavepointRequest } from './checkpoint/checkpointer.ts';
import type { CheckpointHistory } from './checkpoint/checkpoint-history.ts';
import type { Execution } from './execution-graph.ts';
import { JobAttempt } from './job-attempt.ts';
import type { JobAttemptOptions } from './job-attempt.ts';
import { JobFailures } from './job-failures.ts';
import type { JobFailure } from './job-failures.ts';
import { JobReports } from './job-reports.ts';
import { JobSlots } from './job-slots.ts';
import type { SlotWishes } from './job-slots.ts';
import { jobTransitions } from './job-state.ts';
import { nextJobState } from './next-job-state.ts';
import { placeSubtasks, readsAcrossRacks } from './placement/place-subtasks.ts';
import type { PlacementReport } from './placement/placement-report.ts';
import { placeOf } from './placement/placement-request.ts';
import type { SourceDemand } from './placement/placement-request.ts';
import type { PlanStore } from './plan-store.ts';
import { adoptAttempt } from './recovery/adopt-attempt.ts';
import type { AdoptedAttempt } from './recovery/adopt-attempt.ts';
import { JobRecovery } from './recovery/job-recovery.ts';
import { LONGEST_DELAY_MS, PartFailover } from './recovery/part-failover.ts';
import { slotsNeeded } from './slice-plan.ts';
import type { FreeSlot, LostSlots, SlotPool } from './slot-pool.ts';
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
  /** Absent or null where no other leader can take the job over. */
  readonly plans?: PlanStore | null;
  /** How long takeOver() waits for the TaskManagers of its plan. */
  readonly takeoverTimeoutMs?: number;
  /** How long it waits for slots in which no split is read across racks, before it takes what there is; 0 if absent. */
  readonly localityWaitMs?: number;
}

/** What those say who know of a newer leader: the store, and whoever is called. */
const DEPOSED: ReadonlySet<string> = new Set(['MR-HA-FENCED', 'MR-RPC-STALE-EPOCH']);
const TAKEOVER_TIMEOUT_MS = 10_000;
/** How long a job that is cancelled or fails waits for what it tidies up outside, and for what it was just doing. */
const SETTLE_TIMEOUT_MS = 5000;

/**
 * Runs one job, attempt by attempt: recovers what earlier executions have left, prepares sources and sinks, gets slots,
 * deploys, and follows the tasks until all have ended. A failure cancels all tasks; then the restart strategy decides.
 */
export class JobMaster {
  readonly jobId: JobId;
  readonly graph: JobGraph;
  /**
   * Resolves when the job has ended and holds nothing any more. Never rejects, and never resolves once the job is
   * abandoned: how it ends is told by another leader's JobMaster.
   */
  readonly result: Promise<{ readonly state: TerminalJobState; readonly error: MillraceError | null }>;
  /** Resolves when all tasks of an attempt have come to run, for the first time. Never rejects. */
  readonly running: Promise<void>;
  readonly #options: JobMasterOptions;
  readonly #reports: JobReports;
  readonly #metrics: JobMetricsCollector;
  readonly #listeners = new Set<(state: JobState) => void>();
  #address = '';
  /** Both null where the job takes no checkpoints. */
  readonly #recovery: JobRecovery | null;
  readonly #checkpointer: Checkpointer | null;
  #attempt: JobAttempt | null = null;
  /** Of the present attempt, once it is deployed; null where it takes no checkpoints. */
  #parts: PartFailover | null = null;
  /** The way of the present attempt to its deployment: what ends it, and when it has ended. */
  #launch: { readonly control: AbortController; readonly done: Promise<void> } | null = null;
  readonly #slots: JobSlots;
  readonly #failures: JobFailures;
  #state: JobState = 'INITIALIZING';
  #origin: JobOrigin | null = null;
  /** Null unless a failure is going to be followed by a restart. */
  #restartDelayMs: number | null = null;
  #restartTimer: Timer | null = null;
  #restarts = 0;
  #lastFailure: MillraceError | null = null;
  /** An attempt was deployed, here or under an earlier leader. */
  #hasDeployed = false;
  /** Of attempts of a job that takes no checkpoints; null until the newest plan is known. */
  #newestNumber: number | null = null;
  #isTakingOver = false;
  /** Somebody wants the job cancelled once that is over. */
  #isCancelWanted = false;
  #isAbandoned = false;
  #haveAllRun = false;
  #hasBegunToRun: () => void = () => undefined;
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
    this.#reports = this.#createReports();
    this.#failures = new JobFailures(graph.restart, ports);
    this.#slots = new JobSlots(jobId, options.slots, ports.clock, (lost) => {
      this.#slotsLost(lost);
    });
    const steps = graph.vertices.flatMap(({ chain }) => chain.flatMap(stepIdsOf));
    this.#metrics = new JobMetricsCollector(steps, ports.clock);
    const { recovery, checkpointer } = this.#createCheckpointing();
    this.#recovery = recovery;
    this.#checkpointer = checkpointer;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.running = new Promise((resolve) => {
      this.#hasBegunToRun = resolve;
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

  /** What of the newest attempt runs where, and why; null before the first. */
  get placement(): PlacementReport | null {
    return this.#attempt?.placement ?? null;
  }

  /** What its sources read, as it is to be placed when it is restarted. */
  get demands(): readonly SourceDemand[] {
    return this.#attempt?.decidedDemands ?? [];
  }

  /** Newest first. */
  get failures(): readonly JobFailure[] {
    return this.#failures.recent;
  }

  /** In words; null where it waits for nothing. */
  get waitingFor(): string | null {
    if (this.#isTakingOver) return 'the TaskManagers that run its tasks to register with this leader';
    if (this.#restartTimer !== null) return `its restart, ${this.#restartDelayMs ?? 0} ms after the failure`;
    return this.#parts?.waitingFor ?? this.#slots.waitingFor;
  }

  checkpoints(): CheckpointHistory {
    return this.#checkpointer?.history() ?? { completedCount: 0, abortedCount: 0, recent: [] };
  }

  /** Called once. What goes wrong is told by `result`. */
  start(): void {
    this.#serve();
    this.#startAttempt();
  }

  /**
   * Instead of start(), for a job that an earlier leader has deployed by this plan: where all its tasks run they go on,
   * else the job restarts from its last checkpoint. That counts as no failure.
   */
  takeOver(plan: ExecutionPlan): void {
    this.#serve();
    this.#reports.hold();
    this.#isTakingOver = true;
    this.#hasDeployed = true;
    this.#newestNumber = plan.attempt;
    void this.#takeOver(plan);
  }

  /** Where it is being taken over, once that is decided. */
  cancel(): void {
    if (this.#isTakingOver) this.#isCancelWanted = true;
    const isAboutToEnd = this.#isClosing && this.#state === 'RUNNING';
    if (isTerminalJob(this.#state) || this.#state === 'CANCELLING' || isAboutToEnd) return;
    if (this.#isTakingOver || this.#isAbandoned) return;
    this.#move('CANCELLING');
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
    this.#restartTimer?.cancel();
    this.#launch?.control.abort();
    void this.#parts?.abort();
    this.#checkpointer?.abandon();
    this.#attempt?.abandon();
    void this.#recovery?.close();
    this.#slots.abandon();
    this.#withdraw();
    this.#metrics.end();
  }

  /**
   * A checkpoint that is copied to a place of its own once its output is committed. A job that is stopped with it is
   * cancelled then, and has given no row behind it. Rejects with MR-JOB-SAVEPOINT-FAILED; then the job goes on.
   */
  async savepoint(request: SavepointRequest): Promise<StateFile> {
    if (this.#isAbandoned) throw savepointFailed('another leader has taken the job over');
    const isEnding = this.#isClosing && this.#state === 'RUNNING';
    if (isEnding || isTerminalJob(this.#state) || this.#state === 'FAILING' || this.#state === 'CANCELLING') {
      throw savepointFailed(`the job is ${isEnding ? 'about to end' : this.#state}`);
    }
    const { openStorage } = this.#options;
    const isPossible = this.#checkpointer !== null && (request.target === null || openStorage != null);
    if (this.#checkpointer === null || !isPossible) throw savepointFailed('the job takes no checkpoints');
    const file = await this.#checkpointer.savepoint(request);
    if (request.stopsSources) this.cancel();
    return file;
  }

  #createReports(): JobReports {
    return new JobReports(`the JobMaster of ${this.jobId}`, {
      taskState: (task, state, error) => {
        this.#taskReported(task, state, error);
      },
      acknowledged: (message) => {
        this.#checkpointer?.acknowledged(message);
      },
      declined: (task, checkpointId, error) => {
        this.#checkpointer?.declined(task, checkpointId, error);
      },
      committed: (task, checkpointId) => {
        this.#checkpointer?.committed(task, checkpointId);
      },
      ended: (task, snapshot) => {
        this.#checkpointer?.ended(task, snapshot);
      },
      progress: ({ steps, sources }) => {
        this.#metrics.report(steps);
        if (sources.length > 0) this.#attempt?.align(sources);
      },
    });
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
      endures: (error) => this.#options.plans != null && toMillraceError(error).code === 'MR-HA-UNAVAILABLE',
      fail: (error) => {
        this.#fail(error);
      },
    });
    return { recovery, checkpointer };
  }

  #serve(): void {
    const served = this.#options.rpc.serve('job-master', `jobmaster/${this.jobId}`, this.#reports);
    this.#address = served.address;
    this.#withdraw = () => {
      served.withdraw();
    };
  }

  async #takeOver(plan: ExecutionPlan): Promise<void> {
    const { jobId } = this;
    const { takeoverTimeoutMs: timeoutMs = TAKEOVER_TIMEOUT_MS } = this.#options;
    const control = new AbortController();
    this.#launch = { control, done: Promise.resolve() };
    const adopted = await adoptAttempt({
      ...{ jobId, plan, slots: this.#slots, timeoutMs, recovery: this.#recovery },
      createAttempt: (numbers, run) => {
        if (this.#isAbandoned) throw new Error('the leadership is lost');
        this.#attempt = this.#createAttempt({ number: plan.attempt, numbers, run, restored: null }, control.signal);
        return this.#attempt;
      },
    }).catch((error: unknown) => {
      this.#failures.note(toMillraceError(error));
      control.abort();
      this.#attempt = null;
      return null;
    });
    if (this.#isAbandoned) return;
    this.#isTakingOver = false;
    if (adopted?.kind === 'runs') this.#resume(adopted);
    this.#reports.letGo();
    if (adopted?.kind === 'finished') await this.#finishAgain();
    else if (this.#isCancelWanted) this.cancel();
    else if (adopted === null) this.#startAttempt();
    else this.#settle();
  }

  #resume({ attempt, tasks, resumed }: AdoptedAttempt): void {
    this.#haveAllRun = true;
    this.#hasBegunToRun();
    this.#move('CREATED');
    this.#move('RUNNING');
    this.#parts = this.#createParts(attempt);
    attempt.resume(tasks);
    if (resumed !== null) this.#checkpointer?.resume(resumed, tasks);
  }

  /** An earlier leader has ended the job, and could not say so any more. */
  async #finishAgain(): Promise<void> {
    this.#move('CREATED');
    this.#move('RUNNING');
    this.#isClosing = true;
    await this.#end('FINISHED');
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
    const number = started === null ? await this.#nextNumber() : started.run.generation - 1;
    signal.throwIfAborted();
    const { run = null, restored = null } = started ?? {};
    const attempt = this.#createAttempt({ number, run, restored }, signal);
    this.#attempt = attempt;
    this.#haveAllRun = false;
    await attempt.prepare();
    signal.throwIfAborted();
    this.#move('CREATED');
    this.#move('RUNNING');
    attempt.schedule();
    const slots = await this.#slots.acquire(this.#slotWishes(attempt), signal);
    const planned = slots.map(({ location: { taskManagerId, slotId } }) => ({ taskManagerId, slotId }));
    await this.#options.plans?.write({ version: 1, jobId: this.jobId, attempt: number, slots: planned });
    signal.throwIfAborted();
    if (started !== null) this.#checkpointer?.begin(started, attempt.executions);
    this.#hasDeployed = true;
    this.#parts = this.#createParts(attempt);
    attempt.deploy(slots);
  }

  /** Larger than those of all attempts before, also of earlier leaders. */
  async #nextNumber(): Promise<number> {
    this.#newestNumber ??= (await this.#options.plans?.read())?.attempt ?? -1;
    return ++this.#newestNumber;
  }

  #createAttempt(
    what: Pick<JobAttemptOptions, 'number' | 'numbers' | 'run' | 'restored'>,
    signal: AbortSignal,
  ): JobAttempt {
    return new JobAttempt({
      ...this.#options,
      address: this.#address,
      ...{ ...what, storage: this.#options.storageConfig },
      taskEnded: (task, state, error) => {
        this.#taskReported(task, state, error);
      },
      failed: (error) => {
        if (!signal.aborted) this.#fail(error);
      },
    });
  }

  #createParts(attempt: JobAttempt): PartFailover | null {
    const { checkpoint: settings } = this.graph;
    const { plans = null, ports, jobId } = this.#options;
    if (this.#recovery === null || this.#checkpointer === null || settings === null) return null;
    const parts: PartFailover = new PartFailover({
      ...{ jobId, graph: this.graph, settings, attempt, plans, clock: ports.clock },
      ...{ slots: this.#slots, recovery: this.#recovery, checkpointer: this.#checkpointer },
      failed: (error) => {
        if (this.#parts === parts) this.#fail(error);
      },
    });
    return parts;
  }

  #slotWishes(attempt: JobAttempt): SlotWishes {
    const { demands } = attempt;
    const { slotTimeoutMs: timeoutMs, localityWaitMs: patienceMs = 0 } = this.#options;
    const count = slotsNeeded(this.graph);
    const wanted = { count, demands, previous: this.#slots.previous.map(({ location }) => location) };
    const chosen = (slots: readonly FreeSlot[] | null, free: readonly FreeSlot[]) => {
      if (slots !== null) attempt.chosenFrom({ offered: free.map(placeOf), previous: wanted.previous });
      return slots;
    };
    const choose = (free: readonly FreeSlot[]) => chosen(placeSubtasks(wanted, free), free);
    const patient = (free: readonly FreeSlot[]) => {
      const slots = placeSubtasks(wanted, free);
      return slots === null || readsAcrossRacks(demands, slots) ? null : chosen(slots, free);
    };
    const where = 'in racks where its splits can be read';
    return { request: { count, choose }, patient: { count, where, choose: patient }, timeoutMs, patienceMs };
  }

  #slotsLost(lost: LostSlots): void {
    // Between two attempts nothing runs in them.
    if (this.#state === 'RESTARTING') {
      this.#slots.release();
      return;
    }
    // What a TaskManager that is drained still runs can be ended in order.
    if (lost.error.code !== 'MR-TASK-MANAGER-DRAINED') {
      const isPart = this.#restartPart(this.#slots.slicesOf(lost.slotIds), lost.error);
      if (!isPart) void this.#parts?.abort();
      this.#attempt?.lost(lost);
      if (isPart) return;
    }
    this.#fail(lost.error);
  }

  /** Returns false where the whole job has to fail. */
  #restartPart(failed: readonly number[], failure: MillraceError): boolean {
    const parts = this.#parts;
    const canGoOn = this.#state === 'RUNNING' && this.#haveAllRun && !this.#isClosing && !DEPOSED.has(failure.code);
    if (!canGoOn || parts === null || this.#isAbandoned) return false;
    const slices = parts.slicesFor(failed);
    if (slices === null) return false;
    const delayMs = this.#failures.add(failure, true);
    if (delayMs === null || delayMs > LONGEST_DELAY_MS) {
      this.#endAttempt(failure, delayMs);
      return true;
    }
    this.#lastFailure = failure;
    this.#restarts++;
    this.#haveAllRun = false;
    parts.begin(slices, delayMs);
    return true;
  }

  #taskReported(attemptId: AttemptId, report: TaskState, error: MillraceError | null): void {
    if (this.#isTakingOver || this.#isAbandoned) return;
    const execution = this.#attempt?.report(attemptId, report) ?? null;
    if (execution === null) return;
    if (execution.state === 'FINISHED') this.#checkpointer?.finished(attemptId);
    if (execution.state === 'FAILED') this.#taskFailed(execution, error);
    const isWhole = this.#parts?.taskChanged() ?? true;
    const isReady = isWhole && this.executions.every(({ state }) => state === 'RUNNING' || state === 'FINISHED');
    if (isReady && !this.#haveAllRun && this.#state === 'RUNNING') {
      this.#haveAllRun = true;
      this.#hasBegunToRun();
      this.#checkpointer?.allRunning();
    }
    this.#settle();
  }

  #taskFailed({ attemptId, subtaskIndex }: Execution, error: MillraceError | null): void {
    if (this.#parts?.isEnding(subtaskIndex) === true) return;
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
    const mayRestart = this.#state !== 'INITIALIZING' || this.#hasDeployed;
    this.#endAttempt(failure, this.#failures.add(failure, mayRestart));
  }

  /** Null for no restart. */
  #endAttempt(failure: MillraceError, restartDelayMs: number | null): void {
    this.#lastFailure = failure;
    this.#restartDelayMs = restartDelayMs;
    this.#move('FAILING');
    this.#abandonAttempt();
    this.#settle();
  }

  #abandonAttempt(): void {
    this.#restartTimer?.cancel();
    this.#restartTimer = null;
    this.#launch?.control.abort();
    void this.#parts?.abort();
    void this.#checkpointer?.stop();
    this.#attempt?.cancel();
  }

  /** Draws the conclusions from the states of the tasks. */
  #settle(): void {
    if (this.#isClosing || this.#isTakingOver || this.#isAbandoned) return;
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
      this.#parts === null ? null : withinTimeout(clock, SETTLE_TIMEOUT_MS, this.#parts.abort()),
    ]);
    this.#parts = null;
    const isFreed = (await attempt?.close()) ?? true;
    if (this.#isAbandoned) return;
    if (!isFreed) for (const number of new Set(attempt?.numbers)) this.#recovery?.lingers(number);
    if (!isFreed || this.#slots.haveLosses) this.#slots.release();
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
    // Whoever has asked for a savepoint while it was being taken over is not going to get one.
    void this.#checkpointer?.stop();
    if (this.#recovery !== null && this.#hasDeployed) {
      const last = state === 'FINISHED' ? this.#recovery.finish() : this.#recovery.settle();
      // Where it does not succeed, the next start does it, or finds that nothing is left to do.
      await withinTimeout(clock, SETTLE_TIMEOUT_MS, last);
    }
    if (this.#isAbandoned) return;
    void this.#recovery?.close();
    this.#slots.close();
    this.#withdraw();
    this.#metrics.end();
    this.#move(state);
    this.#resolve({ state, error: state === 'FAILED' ? this.#lastFailure : null });
  }

  #move(to: JobState): void {
    this.#state = move(jobTransitions, `job ${this.graph.name}`, this.#state, to);
    for (const listener of [...this.#listeners]) listener(to);
  }
}
