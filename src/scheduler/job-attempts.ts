import type { AttemptId, MillraceError } from '../core/index.ts';
import type { ExecutionPlan } from '../ha/index.ts';
import type { Execution } from './execution-graph.ts';
import { JobAttempt } from './job-attempt.ts';
import type { JobAttemptOptions } from './job-attempt.ts';
import type { JobCheckpointing } from './job-checkpointing.ts';
import type { JobMasterOptions } from './job-master-options.ts';
import type { JobSlots } from './job-slots.ts';
import { adoptAttempt } from './recovery/adopt-attempt.ts';
import type { AdoptedAttempt } from './recovery/adopt-attempt.ts';
import { PartFailover } from './recovery/part-failover.ts';
import { slotWishes } from './slot-wishes.ts';
import type { JobOrigin } from './start-mode.ts';
import { withinTimeout } from './within-timeout.ts';

export interface JobAttemptsOptions {
  readonly job: JobMasterOptions;
  readonly slots: JobSlots;
  readonly checkpointing: JobCheckpointing;
  /** Where the JobMasterGateway is served. */
  readonly address: () => string;
  /** Everything that an attempt needs, but slots, is there. */
  readonly prepared: () => void;
  readonly taskEnded: (task: AttemptId, state: 'FAILED' | 'CANCELED', error: MillraceError | null) => void;
  /** The present attempt cannot go on. */
  readonly failed: (error: unknown) => void;
}

/** How long an attempt that ends waits for what it was just doing. */
const SETTLE_TIMEOUT_MS = 5000;
const TAKEOVER_TIMEOUT_MS = 10_000;

/**
 * The attempts of a job, one after the other: the way of each from what earlier executions have left to its deployment,
 * or from an earlier leader's hands, and its end.
 */
export class JobAttempts {
  readonly #options: JobAttemptsOptions;
  #current: JobAttempt | null = null;
  /** Of the present attempt, once it is deployed; null where it takes no checkpoints. */
  #parts: PartFailover | null = null;
  /** The way of the present attempt to its deployment: what ends it, and when it has ended. */
  #launch: { readonly control: AbortController; readonly done: Promise<void> } | null = null;
  #origin: JobOrigin | null = null;
  #hasDeployed = false;
  /** Of attempts of a job that takes no checkpoints; null until the newest plan is known. */
  #newestNumber: number | null = null;
  #isAbandoned = false;

  constructor(options: JobAttemptsOptions) {
    this.#options = options;
  }

  /** The newest one; null before the first. */
  get current(): JobAttempt | null {
    return this.#current;
  }

  /** The tasks of the newest one and where each stands; none before the first. */
  get executions(): readonly Execution[] {
    return this.#current?.executions ?? [];
  }

  /** What can restart of it without the rest; null before it is deployed, and where it takes no checkpoints. */
  get parts(): PartFailover | null {
    return this.#parts;
  }

  /** What it has started from; null until that is known. */
  get origin(): JobOrigin | null {
    return this.#origin;
  }

  /** One was deployed, here or under an earlier leader. */
  get hasDeployed(): boolean {
    return this.#hasDeployed;
  }

  /** Called where nothing of the one before is left. What goes wrong is told to `failed`. */
  start(): void {
    const control = new AbortController();
    const done = this.#run(control.signal).catch((error: unknown) => {
      // Whoever has ended it knows why.
      if (!control.signal.aborted) this.#options.failed(error);
    });
    this.#launch = { control, done };
  }

  /** Takes over the one of an earlier leader; rejects where it cannot go on, and nothing of it is left. */
  async adopt(plan: ExecutionPlan): Promise<AdoptedAttempt | { readonly kind: 'finished' }> {
    const { job, slots, checkpointing } = this.#options;
    const { jobId, takeoverTimeoutMs: timeoutMs = TAKEOVER_TIMEOUT_MS } = job;
    const control = new AbortController();
    this.#launch = { control, done: Promise.resolve() };
    this.#hasDeployed = true;
    this.#newestNumber = plan.attempt;
    try {
      return await adoptAttempt({
        ...{ jobId, plan, slots, timeoutMs, recovery: checkpointing.recovery },
        createAttempt: (numbers, run) => {
          if (this.#isAbandoned) throw new Error('the leadership is lost');
          return this.#create({ number: plan.attempt, numbers, run, restored: null }, control.signal);
        },
      });
    } catch (error) {
      control.abort();
      this.#current = null;
      throw error;
    }
  }

  /** The one that was adopted goes on. */
  resume({ attempt, tasks, resumed }: AdoptedAttempt): void {
    this.#parts = this.#createParts(attempt);
    attempt.resume(tasks);
    if (resumed !== null) this.#options.checkpointing.checkpointer?.resume(resumed, tasks);
  }

  /** The present one is to end: cancels its tasks and whatever leads to more of them. */
  cancel(): void {
    this.#launch?.control.abort();
    void this.#parts?.abort();
    void this.#options.checkpointing.checkpointer?.stop();
    this.#current?.cancel();
  }

  /** Its tasks are another leader's. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#launch?.control.abort();
    void this.#parts?.abort();
    this.#current?.abandon();
  }

  /** All its tasks have ended: gives back what it held. Resolves to whether all threads are known to have ended. */
  async close(): Promise<boolean> {
    const { job, checkpointing } = this.#options;
    const { clock } = job.ports;
    const attempt = this.#current;
    await Promise.all([
      checkpointing.checkpointer?.stop(),
      this.#launch === null ? null : withinTimeout(clock, SETTLE_TIMEOUT_MS, this.#launch.done),
      this.#parts === null ? null : withinTimeout(clock, SETTLE_TIMEOUT_MS, this.#parts.abort()),
    ]);
    this.#parts = null;
    const isFreed = (await attempt?.close()) ?? true;
    if (isFreed || this.#isAbandoned) return isFreed;
    for (const number of new Set(attempt?.numbers)) checkpointing.recovery?.lingers(number);
    return false;
  }

  /** From what earlier executions have left to the deployment. Rejects once the signal is aborted. */
  async #run(signal: AbortSignal): Promise<void> {
    const { job, slots, checkpointing } = this.#options;
    const { recovery, checkpointer } = checkpointing;
    const started = (await recovery?.begin(checkpointer?.firstFreeId ?? null, signal)) ?? null;
    signal.throwIfAborted();
    this.#origin = started?.origin ?? { kind: 'anew' };
    const number = started === null ? await this.#nextNumber() : started.run.generation - 1;
    signal.throwIfAborted();
    const { run = null, restored = null } = started ?? {};
    const attempt = this.#create({ number, run, restored }, signal);
    await attempt.prepare();
    signal.throwIfAborted();
    this.#options.prepared();
    attempt.schedule();
    const allocated = await slots.acquire(slotWishes(job, attempt, slots), signal);
    const planned = allocated.map(({ location: { taskManagerId, slotId } }) => ({ taskManagerId, slotId }));
    await job.plans?.write({ version: 1, jobId: job.jobId, attempt: number, slots: planned });
    signal.throwIfAborted();
    if (started !== null) checkpointer?.begin(started, attempt.executions);
    this.#hasDeployed = true;
    this.#parts = this.#createParts(attempt);
    attempt.deploy(allocated);
  }

  /** Larger than those of all attempts before, also of earlier leaders. */
  async #nextNumber(): Promise<number> {
    this.#newestNumber ??= (await this.#options.job.plans?.read())?.attempt ?? -1;
    return ++this.#newestNumber;
  }

  #create(
    what: Pick<JobAttemptOptions, 'number' | 'numbers' | 'run' | 'restored'>,
    signal: AbortSignal,
  ): JobAttempt {
    const { job, address, taskEnded, failed } = this.#options;
    this.#current = new JobAttempt({
      ...job,
      address: address(),
      ...{ ...what, storage: job.storageConfig, taskEnded },
      failed: (error) => {
        if (!signal.aborted) failed(error);
      },
    });
    return this.#current;
  }

  #createParts(attempt: JobAttempt): PartFailover | null {
    const { job, slots, checkpointing, failed } = this.#options;
    const { recovery, checkpointer } = checkpointing;
    const { jobId, graph, plans = null, ports } = job;
    const { checkpoint: settings } = graph;
    if (recovery === null || checkpointer === null || settings === null) return null;
    const parts: PartFailover = new PartFailover({
      ...{ jobId, graph, settings, attempt, plans, clock: ports.clock, slots, recovery, checkpointer },
      failed: (error) => {
        if (this.#parts === parts) failed(error);
      },
    });
    return parts;
  }
}
