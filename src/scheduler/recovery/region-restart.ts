/**
 * Restarts some slices of a job while the others go on: docs/design/022, "The restart of a part".
 *
 *   ending ──► waiting ──► starting ──► (tasks report) all run
 *   tasks end,  delay       record, transactions, slots, plan, deployment
 *   threads end
 *
 * Whatever goes wrong, and whatever takes too long, is told to the JobMaster, which then restarts the whole job.
 */
import { toMillraceError } from '../../core/index.ts';
import type { Clock, JobId, Timer } from '../../core/index.ts';
import { isTerminalTask } from '../../rpc/index.ts';
import type { Checkpointer } from '../checkpoint/checkpointer.ts';
import { schedulerErrors } from '../errors.ts';
import type { JobAttempt } from '../job-attempt.ts';
import type { JobSlots } from '../job-slots.ts';
import { placeSubtasks } from '../placement/place-subtasks.ts';
import type { PlanStore } from '../plan-store.ts';
import { rejectionOf } from '../rejection-of.ts';
import type { SlotRequest } from '../slot-pool.ts';
import type { JobRecovery } from './job-recovery.ts';

export interface RegionRestartOptions {
  readonly jobId: JobId;
  readonly slices: readonly number[];
  readonly delayMs: number;
  readonly clock: Clock;
  readonly attempt: JobAttempt;
  readonly slots: JobSlots;
  readonly recovery: JobRecovery;
  readonly checkpointer: Checkpointer;
  readonly plans: PlanStore | null;
  /** It is no use: the whole job must restart. Not called once it was aborted. */
  readonly failed: (error: unknown) => void;
}

/** All run again within this time, or the whole job restarts: checkpoints have to wait meanwhile. */
const TIMEOUT_MS = 30_000;

export class RegionRestart {
  readonly slices: ReadonlySet<number>;
  /** Resolves when it has nothing under way any more. Never rejects. */
  readonly done: Promise<void>;
  readonly #options: RegionRestartOptions;
  readonly #control = new AbortController();
  readonly #allEnded = Promise.withResolvers<null>();
  readonly #timer: Timer;
  #phase: 'ending' | 'waiting' | 'starting' | 'deployed' = 'ending';

  /** Begins at once. */
  constructor(options: RegionRestartOptions) {
    this.#options = options;
    this.slices = new Set(options.slices);
    const { clock } = options;
    this.#timer = clock.schedule(TIMEOUT_MS + options.delayMs, () => {
      const fields = { what: 'not all of its tasks run', seconds: Math.round((TIMEOUT_MS + options.delayMs) / 1000) };
      this.#fail(schedulerErrors.create('MR-JOB-PART-LATE', fields));
    });
    this.done = this.#run().catch((error: unknown) => {
      this.#fail(error);
    });
  }

  /** Its tasks are ending: that they fail as well is nothing new. */
  get isEnding(): boolean {
    return this.#phase === 'ending';
  }

  /** In words; null where it waits for nothing that somebody could do something about. */
  get waitingFor(): string | null {
    if (this.#phase !== 'waiting') return null;
    return `the restart of a part of it, ${this.#options.delayMs} ms after a failure`;
  }

  /** The state of a task has changed. Returns whether all of the slices run again, in which case it is over. */
  taskChanged(): boolean {
    const own = this.#options.attempt.executions.filter(({ subtaskIndex }) => this.slices.has(subtaskIndex));
    if (this.#phase === 'ending' && own.every(({ state }) => isTerminalTask(state))) this.#allEnded.resolve(null);
    if (this.#phase !== 'deployed') return false;
    const isOver = own.every(({ state }) => state === 'RUNNING' || state === 'FINISHED');
    if (isOver) this.#timer.cancel();
    return isOver;
  }

  /** Ends it, wherever it is. Harmless when repeated. */
  abort(): void {
    this.#timer.cancel();
    this.#control.abort();
  }

  async #run(): Promise<void> {
    const { slices, attempt, checkpointer, recovery, slots, clock, delayMs, jobId, plans } = this.#options;
    const { signal } = this.#control;
    const aborted = rejectionOf(signal);
    // Whoever waits for something races with it.
    aborted.catch(() => undefined);
    const numbers = new Map(slices.map((slice) => [slice, attempt.numbers[slice] ?? 0]));
    const tasks = attempt.executions.filter(({ subtaskIndex }) => this.slices.has(subtaskIndex));
    const stopped = checkpointer.stopPart(tasks.map(({ attemptId }) => attemptId));
    // Those that are lost are told to have failed first: nobody is there who could cancel them.
    await Promise.resolve();
    attempt.cancelPart(slices);
    this.taskChanged();
    await Promise.race([Promise.all([stopped, this.#allEnded.promise]), aborted]);
    const alive = await Promise.race([attempt.closePart(slices), aborted]);
    for (const slice of alive) recovery.lingers(numbers.get(slice) ?? 0, [slice]);
    slots.giveUp(alive);
    this.#phase = 'waiting';
    await Promise.race([clock.sleep(delayMs), aborted]);
    this.#phase = 'starting';
    const started = await recovery.beginPart(slices, checkpointer.firstFreeId ?? 1, signal);
    signal.throwIfAborted();
    const number = started.run.generation - 1;
    attempt.renew(slices, number);
    const all = await slots.replaceLost(slices, (lost) => this.#requestFor(lost), signal);
    const planned = all.map(({ location: { taskManagerId, slotId } }, slice) => {
      return { taskManagerId, slotId, attempt: attempt.numbers[slice] ?? number };
    });
    await plans?.write({ version: 1, jobId, attempt: number, slots: planned });
    signal.throwIfAborted();
    checkpointer.beginPart(started, attempt.executions, slices);
    this.#phase = 'deployed';
    attempt.redeploy(slices, all, started);
  }

  /** Slots for these slices, near to what they read, and where they were before if that is free. */
  #requestFor(lost: readonly number[]): SlotRequest {
    const { attempt, slots } = this.#options;
    const count = lost.length;
    const demands = attempt.decidedDemands.map(({ splits }) => ({
      parallelism: count,
      splits: splits.flatMap(({ racks, subtaskIndex }) => {
        const index = subtaskIndex === null ? -1 : lost.indexOf(subtaskIndex);
        return index < 0 ? [] : [{ racks, subtaskIndex: index }];
      }),
    }));
    const previous = lost.flatMap((slice) => slots.previous[slice]?.location ?? []);
    return { count, choose: (free) => placeSubtasks({ count, demands, previous }, free) };
  }

  #fail(error: unknown): void {
    if (this.#control.signal.aborted) return;
    this.abort();
    this.#options.failed(toMillraceError(error));
  }
}
