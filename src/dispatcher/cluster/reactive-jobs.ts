import { toMillraceError } from '../../core/index.ts';
import type { Clock, JobId, MillraceError, Timer } from '../../core/index.ts';
import type { JobGraph, ReactiveRescale } from '../../graph/index.ts';
import { slotsNeeded } from '../../scheduler/index.ts';
import { clusterErrors } from '../errors.ts';
import type { ResourceManager } from '../slots/resource-manager.ts';
import type { ClusterJobs, LedJob } from './cluster-jobs.ts';
import { decideRescale } from './decide-rescale.ts';
import type { RescaleFacts } from './decide-rescale.ts';
import { runs } from './rebalance-job.ts';

export interface ReactiveJobsOptions {
  readonly clock: Clock;
  readonly jobs: Pick<ClusterJobs, 'led' | 'restart'>;
  readonly slots: Pick<ResourceManager, 'onChange' | 'withinReach' | 'waitingFor'>;
  /** Compiles the job anew; rejects where that cannot be done. */
  readonly compile: (job: LedJob, parallelism: number) => Promise<JobGraph>;
  /** Why the graph cannot go on from the last checkpoint of the job; null where it can. */
  readonly restoreProblem: (job: LedJob, graph: JobGraph) => Promise<string | null>;
  readonly onProblem: (error: MillraceError) => void;
}

/** What is remembered of a job from look to look; times are monotonic. */
interface Observed {
  offeredCount: number;
  steadySinceMs: number;
  waitingSinceMs: number | null;
  /** When it was last tried to rescale it. */
  triedAtMs: number | null;
  phase: RescaleFacts['phase'];
  /** With so many slots its graph does not fit or is the same, in this phase. */
  vainSlots: number | null;
}

/**
 * Jobs that take as many slots as there are, of one leadership: looks at them whenever slots come, go or change hands.
 * One is rescaled at a time.
 */
export class ReactiveJobs {
  readonly #options: ReactiveJobsOptions;
  readonly #observed = new Map<JobId, Observed>();
  readonly #stopListening: () => void;
  #timer: Timer | null = null;
  #isAboutToLook = false;
  #isBusy = false;
  #isClosed = false;

  constructor(options: ReactiveJobsOptions) {
    this.#options = options;
    this.#stopListening = options.slots.onChange(() => this.#lookSoon());
  }

  close(): void {
    this.#isClosed = true;
    this.#stopListening();
    this.#timer?.cancel();
  }

  /** Several changes of one turn are one. */
  #lookSoon(): void {
    if (this.#isAboutToLook) return;
    this.#isAboutToLook = true;
    void Promise.resolve().then(() => {
      this.#isAboutToLook = false;
      this.#look();
    });
  }

  #look(): void {
    if (this.#isClosed || this.#isBusy) return;
    this.#timer?.cancel();
    this.#timer = null;
    const reactive = this.#options.jobs.led.flatMap((job) => {
      const settings = job.accepted.graph.rescale;
      return settings === undefined || job.endedAtMs !== null || job.isRescaling ? [] : [{ job, settings }];
    });
    const ids = new Set(reactive.map(({ job }) => job.accepted.jobId));
    for (const id of [...this.#observed.keys()]) if (!ids.has(id)) this.#observed.delete(id);
    const seen = reactive.map(({ job, settings }) => ({ job, settings, ...this.#observe(job) }));
    // Those that may have more by now share what nobody has.
    const growing = seen.filter(
      ({ settings, facts: { phase, slots, sinceRescaleMs } }) =>
        phase === 'runs' && slots < settings.maxParallelism && (sinceRescaleMs ?? Infinity) >= settings.minIntervalMs,
    ).length;
    let soonestMs = Infinity;
    for (const { job, settings, facts: all, free, observed } of seen) {
      const share = Math.min(free, Math.max(1, Math.floor(free / Math.max(1, growing))));
      const facts = all.phase === 'waits' ? all : { ...all, available: all.available - free + share };
      const decision = decideRescale(settings, facts);
      if (decision.kind === 'keep') soonestMs = Math.min(soonestMs, decision.forMs ?? Infinity);
      else if (decision.slots !== observed.vainSlots) {
        this.#begin(job, settings, decision.slots, facts, observed);
        return;
      }
    }
    if (soonestMs === Infinity) return;
    this.#timer = this.#options.clock.schedule(soonestMs, () => this.#look(), true);
  }

  /** As if it could have all that nobody has, which is `free`. */
  #observe(job: LedJob): { readonly facts: RescaleFacts; readonly free: number; readonly observed: Observed } {
    const { clock, slots } = this.#options;
    const { handle, accepted, submission } = job;
    const nowMs = clock.monotonicMs();
    const { own, free, offeredCount, isWaitedFor } = slots.withinReach(accepted.jobId);
    const observed = this.#observed.get(accepted.jobId) ?? {
      offeredCount,
      steadySinceMs: nowMs,
      waitingSinceMs: null,
      triedAtMs: null,
      phase: 'changes',
      vainSlots: null,
    };
    this.#observed.set(accepted.jobId, observed);
    if (observed.offeredCount !== offeredCount) Object.assign(observed, { offeredCount, steadySinceMs: nowMs });
    const isWaiting = slots.waitingFor(accepted.jobId) !== null;
    observed.waitingSinceMs = isWaiting ? (observed.waitingSinceMs ?? nowMs) : null;
    const inReach = isWaitedFor ? 0 : free.length;
    const { restartedAtMs } = submission;
    const ago = [
      ...(observed.triedAtMs === null ? [] : [nowMs - observed.triedAtMs]),
      // By a clock that may be another machine's.
      ...(restartedAtMs === undefined ? [] : [Math.max(0, clock.nowMs() - restartedAtMs)]),
    ];
    const phase = isWaiting ? 'waits' : runs(handle) ? 'runs' : 'changes';
    if (observed.phase !== phase) Object.assign(observed, { phase, vainSlots: null });
    const facts: RescaleFacts = {
      phase,
      slots: slotsNeeded(accepted.graph),
      available: own.length + inReach,
      steadyMs: nowMs - observed.steadySinceMs,
      waitingMs: nowMs - (observed.waitingSinceMs ?? nowMs),
      sinceRescaleMs: ago.length === 0 ? null : Math.min(...ago),
    };
    return { facts, free: inReach, observed };
  }

  #begin(job: LedJob, settings: ReactiveRescale, slots: number, facts: RescaleFacts, observed: Observed): void {
    const { clock, onProblem } = this.#options;
    this.#isBusy = true;
    this.#rescale(job, settings, slots, facts)
      .then((isRescaled) => {
        observed.vainSlots = isRescaled ? null : slots;
      })
      .catch((error: unknown) => {
        if (this.#isClosed) return;
        onProblem(toMillraceError(error));
        if (observed.waitingSinceMs !== null) observed.waitingSinceMs = clock.monotonicMs();
      })
      .finally(() => {
        observed.triedAtMs = clock.monotonicMs();
        this.#isBusy = false;
        this.#look();
      });
  }

  /** Resolves to false where it is as well as it was. */
  async #rescale(job: LedJob, settings: ReactiveRescale, slots: number, facts: RescaleFacts): Promise<boolean> {
    const { jobs, compile, restoreProblem, onProblem } = this.#options;
    const { accepted } = job;
    const graph = await compile(job, slots);
    // Steps that say themselves how many subtasks they have keep them.
    const needed = slotsNeeded(graph);
    if (needed > slots || needed > settings.maxParallelism || needed === facts.slots) return false;
    const isWaiting = facts.phase === 'waits';
    const problem = isWaiting ? await restoreProblem(job, graph) : null;
    if (problem !== null) {
      onProblem(clusterErrors.create('MR-CLUSTER-NOT-RESCALABLE', { job: accepted.jobId, reason: problem }));
      return false;
    }
    // Meanwhile it may have got slots, or have lost some.
    const isAsItWas = isWaiting ? this.#options.slots.waitingFor(accepted.jobId) !== null : runs(job.handle);
    if (!isAsItWas) return true;
    await jobs.restart(accepted.jobId, { graph, stop: isWaiting ? 'cancel' : 'checkpoint' });
    return true;
  }
}
