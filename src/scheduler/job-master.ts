import type { JobId, MillraceError, StateFile } from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';
import type { ExecutionPlan } from '../ha/index.ts';
import { JobMetricsCollector } from '../metrics/index.ts';
import type { JobMetrics } from '../metrics/index.ts';
import { isTerminalJob } from '../rpc/index.ts';
import type { JobState } from '../rpc/index.ts';
import { savepointFailed } from './checkpoint/checkpointer.ts';
import type { SavepointRequest } from './checkpoint/checkpointer.ts';
import type { CheckpointHistory } from './checkpoint/checkpoint-history.ts';
import type { Execution } from './execution-graph.ts';
import type { JobFailure } from './job-failures.ts';
import { JobLifecycle } from './job-lifecycle.ts';
import type { JobMasterOptions } from './job-master-options.ts';
import { JobReports } from './job-reports.ts';
import type { JobEnd } from './job-status.ts';
import type { PlacementReport } from './placement/placement-report.ts';
import type { SourceDemand } from './placement/placement-request.ts';
import type { JobOrigin } from './start-mode.ts';
import { stepIdsOf } from './step-ids.ts';

/**
 * Runs one job, attempt by attempt, and follows the tasks of each until all have ended. A failure cancels all tasks;
 * then the restart strategy decides.
 */
export class JobMaster {
  readonly jobId: JobId;
  readonly graph: JobGraph;
  readonly #options: JobMasterOptions;
  readonly #lifecycle: JobLifecycle;
  readonly #reports: JobReports;
  readonly #metrics: JobMetricsCollector;
  #address = '';
  #withdraw: () => void = () => undefined;

  constructor(options: JobMasterOptions) {
    const { jobId, graph, ports } = options;
    this.jobId = jobId;
    this.graph = graph;
    this.#options = options;
    const steps = graph.vertices.flatMap(({ chain }) => chain.flatMap(stepIdsOf));
    this.#metrics = new JobMetricsCollector(steps, ports.clock);
    this.#reports = this.#createReports();
    this.#lifecycle = new JobLifecycle(options, {
      address: () => this.#address,
      takenOver: () => {
        this.#reports.letGo();
      },
      over: () => {
        this.#withdraw();
        this.#metrics.end();
      },
    });
  }

  get state(): JobState {
    return this.#lifecycle.status.state;
  }

  /**
   * Resolves when the job has ended and holds nothing any more. Never rejects, and never resolves once the job is
   * abandoned: how it ends is told by another leader's JobMaster.
   */
  get result(): Promise<JobEnd> {
    return this.#lifecycle.status.result;
  }

  /** Resolves when all tasks of an attempt have come to run, for the first time. Never rejects. */
  get running(): Promise<void> {
    return this.#lifecycle.status.running;
  }

  onStateChange(listener: (state: JobState) => void): () => void {
    return this.#lifecycle.status.onChange(listener);
  }

  metrics(): JobMetrics {
    return this.#metrics.snapshot();
  }

  /** The tasks of the newest attempt and where each stands; none before the first. */
  get executions(): readonly Execution[] {
    return this.#lifecycle.attempts.executions;
  }

  /** What the job has started from, the last time; null until that is known. */
  get origin(): JobOrigin | null {
    return this.#lifecycle.attempts.origin;
  }

  /** How often the job was restarted after a failure. */
  get restarts(): number {
    return this.#lifecycle.failures.restarts;
  }

  /** What led to the last restart, or has just made the job fail. */
  get lastFailure(): MillraceError | null {
    return this.#lifecycle.failures.last;
  }

  /** What passes between that failure and the next attempt; null where none follows, or once it has begun. */
  get restartDelayMs(): number | null {
    return this.#lifecycle.failures.restartDelayMs;
  }

  /** What of the newest attempt runs where, and why; null before the first. */
  get placement(): PlacementReport | null {
    return this.#lifecycle.attempts.current?.placement ?? null;
  }

  /** What its sources read, as it is to be placed when it is restarted. */
  get demands(): readonly SourceDemand[] {
    return this.#lifecycle.attempts.current?.decidedDemands ?? [];
  }

  /** Newest first. */
  get failures(): readonly JobFailure[] {
    return this.#lifecycle.failures.recent;
  }

  /** In words; null where it waits for nothing. */
  get waitingFor(): string | null {
    if (this.#lifecycle.isTakingOver) return 'the TaskManagers that run its tasks to register with this leader';
    const { failures } = this.#lifecycle;
    if (failures.isDelayingRestart) return `its restart, ${this.restartDelayMs ?? 0} ms after the failure`;
    return this.#lifecycle.attempts.parts?.waitingFor ?? this.#lifecycle.slots.waitingFor;
  }

  checkpoints(): CheckpointHistory {
    return this.#lifecycle.checkpointing.checkpointer?.history() ?? { completedCount: 0, abortedCount: 0, recent: [] };
  }

  /** Called once. What goes wrong is told by `result`. */
  start(): void {
    this.#serve();
    this.#lifecycle.start();
  }

  /**
   * Instead of start(), for a job that an earlier leader has deployed by this plan: where all its tasks run they go on,
   * else the job restarts from its last checkpoint. That counts as no failure.
   */
  takeOver(plan: ExecutionPlan): void {
    this.#serve();
    this.#reports.hold();
    void this.#lifecycle.takeOver(plan);
  }

  /** Where it is being taken over, once that is decided. */
  cancel(): void {
    this.#lifecycle.cancel();
  }

  /**
   * The leadership is lost: nothing more is done here, and nothing is undone. Tasks, transactions, slots and the record
   * are the next leader's. Harmless when repeated.
   */
  abandon(): void {
    this.#lifecycle.abandon();
  }

  /**
   * A checkpoint that is copied to a place of its own once its output is committed. A job that is stopped with it is
   * cancelled then, and has given no row behind it. Rejects with MR-JOB-SAVEPOINT-FAILED; then the job goes on.
   */
  async savepoint(request: SavepointRequest): Promise<StateFile> {
    if (this.#lifecycle.isAbandoned) throw savepointFailed('another leader has taken the job over');
    const isEnding = this.#lifecycle.isAboutToEnd;
    if (isEnding || isTerminalJob(this.state) || this.state === 'FAILING' || this.state === 'CANCELLING') {
      throw savepointFailed(`the job is ${isEnding ? 'about to end' : this.state}`);
    }
    const { checkpointer } = this.#lifecycle.checkpointing;
    const isPossible = request.target === null || this.#options.openStorage != null;
    if (checkpointer === null || !isPossible) throw savepointFailed('the job takes no checkpoints');
    const file = await checkpointer.savepoint(request);
    if (request.stopsSources) this.cancel();
    return file;
  }

  #createReports(): JobReports {
    return new JobReports(`the JobMaster of ${this.jobId}`, {
      taskState: (task, state, error) => {
        this.#lifecycle.taskReported(task, state, error);
      },
      acknowledged: (message) => {
        this.#lifecycle.checkpointing.checkpointer?.acknowledged(message);
      },
      declined: (task, checkpointId, error) => {
        this.#lifecycle.checkpointing.checkpointer?.declined(task, checkpointId, error);
      },
      committed: (task, checkpointId) => {
        this.#lifecycle.checkpointing.checkpointer?.committed(task, checkpointId);
      },
      ended: (task, snapshot) => {
        this.#lifecycle.checkpointing.checkpointer?.ended(task, snapshot);
      },
      progress: ({ steps, sources }) => {
        this.#metrics.report(steps);
        if (sources.length > 0) this.#lifecycle.attempts.current?.align(sources);
      },
    });
  }

  #serve(): void {
    const served = this.#options.rpc.serve('job-master', `jobmaster/${this.jobId}`, this.#reports);
    this.#address = served.address;
    this.#withdraw = () => {
      served.withdraw();
    };
  }
}
