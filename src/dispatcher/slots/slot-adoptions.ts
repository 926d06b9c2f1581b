import type { Clock, JobId, TaskManagerId, Timer } from '../../core/index.ts';
import { schedulerErrors } from '../../scheduler/index.ts';
import type { AllocatedSlot, WantedSlot } from '../../scheduler/index.ts';
import type { KnownSlot, KnownTaskManager } from './known-task-manager.ts';

interface Adoption {
  readonly attempt: number;
  readonly slots: readonly WantedSlot[];
  readonly resolve: (slots: readonly AllocatedSlot[]) => void;
  readonly reject: (error: Error) => void;
  readonly timers: readonly Timer[];
  /** TaskManagers that are announced nowhere had their time to be so again. */
  isAnnouncementDue: boolean;
}

/**
 * One that runs is announced, but for a moment after its session with the store has ended: for so long it is waited for
 * as if it were.
 */
const ANNOUNCEMENT_MS = 3000;

/** Takeovers are of the first seconds of a leadership, and TaskManagers come and go for all of it. */
const MAX_GONE = 1000;

/** Jobs that wait to take over the slots in which their tasks run: docs/design/018, "Taking over without a stop". */
export class SlotAdoptions {
  readonly #clock: Clock;
  /** What has not begun to wait yet: its slots are kept for it already. */
  readonly #expected = new Map<JobId, readonly number[]>();
  readonly #waiting = new Map<JobId, Adoption>();
  /** TaskManagers that say where they are; null before that is known. */
  #announced: ReadonlySet<TaskManagerId> | null = null;
  /** TaskManagers that nobody need wait for, and why. */
  readonly #gone = new Map<TaskManagerId, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of which attempts there may be slots. */
  expect(jobId: JobId, attempts: readonly number[]): void {
    this.#expected.set(jobId, attempts);
  }

  /** Whether somebody has asked, or will, for slots that run this attempt. */
  wants(jobId: JobId, attempt: number): boolean {
    const waiting = this.#waiting.get(jobId);
    if (waiting === undefined) return this.#expected.get(jobId)?.includes(attempt) ?? false;
    return waiting.slots.some((slot) => (slot.attempt ?? waiting.attempt) === attempt);
  }

  /** `onTime` is called where it is to be settled again, as time has passed. */
  start(
    jobId: JobId,
    attempt: number,
    slots: readonly WantedSlot[],
    timeoutMs: number,
    onTime: () => void,
  ): Promise<readonly AllocatedSlot[]> {
    return new Promise((resolve, reject) => {
      const late = this.#clock.schedule(timeoutMs, () => {
        this.#fail(jobId, `a TaskManager has not come within ${Math.round(timeoutMs / 1000)} s`);
        onTime();
      });
      const due = this.#clock.schedule(ANNOUNCEMENT_MS, () => {
        adoption.isAnnouncementDue = true;
        onTime();
      });
      const adoption = { attempt, slots, resolve, reject, timers: [late, due], isAnnouncementDue: false };
      this.#expected.delete(jobId);
      this.#waiting.set(jobId, adoption);
    });
  }

  /** Ends the waiting of whoever has all its slots now, or never will. */
  settle(taskManagers: ReadonlyMap<TaskManagerId, KnownTaskManager>, isOffered: (id: TaskManagerId) => boolean): void {
    for (const [jobId, adoption] of [...this.#waiting]) {
      const found: KnownSlot[] = [];
      let obstacle: string | null = null;
      for (const { taskManagerId, slotId, attempt = adoption.attempt } of adoption.slots) {
        const manager = taskManagers.get(taskManagerId);
        if (manager === undefined) {
          const reason = this.#gone.get(taskManagerId) ?? this.#absenceOf(taskManagerId, adoption);
          if (reason !== null) obstacle = `TaskManager ${taskManagerId}: ${reason}`;
          continue;
        }
        const slot = manager.slots.get(slotId);
        const use = slot?.use;
        const runsIt = use?.kind === 'occupied' && use.jobId === jobId && use.attempt === attempt;
        if (!isOffered(taskManagerId)) obstacle = `TaskManager ${taskManagerId} is drained`;
        else if (slot === undefined || !runsIt) obstacle = `slot ${slotId} does not run it any more`;
        else found.push(slot);
      }
      if (obstacle !== null) this.#fail(jobId, obstacle);
      else if (found.length === adoption.slots.length) this.#succeed(jobId, adoption, found);
    }
  }

  /** All TaskManagers that say where they are. */
  announced(ids: ReadonlySet<TaskManagerId>): void {
    this.#announced = ids;
  }

  /** A TaskManager is known to be gone, whether it had registered or not. */
  gone(id: TaskManagerId, reason: string): void {
    this.#gone.set(id, reason);
    const [oldest] = this.#gone.keys();
    if (this.#gone.size > MAX_GONE && oldest !== undefined) this.#gone.delete(oldest);
  }

  isBack(id: TaskManagerId): void {
    this.#gone.delete(id);
  }

  /** Nobody waits for this job's slots any more. */
  forget(jobId: JobId): void {
    this.#expected.delete(jobId);
    for (const timer of this.#waiting.get(jobId)?.timers ?? []) timer.cancel();
    this.#waiting.delete(jobId);
  }

  close(): void {
    for (const jobId of [...this.#waiting.keys()]) this.forget(jobId);
    this.#expected.clear();
  }

  /** Null where it may still come. */
  #absenceOf(id: TaskManagerId, { isAnnouncementDue }: Adoption): string | null {
    const isAbsent = isAnnouncementDue && this.#announced !== null && !this.#announced.has(id);
    return isAbsent ? 'it is announced nowhere, as if it had ended' : null;
  }

  #succeed(jobId: JobId, { resolve }: Adoption, found: readonly KnownSlot[]): void {
    this.forget(jobId);
    for (const slot of found) slot.use = { kind: 'owned', jobId };
    resolve(found.map(({ offer: { location, address } }) => ({ location, address })));
  }

  #fail(jobId: JobId, reason: string): void {
    const adoption = this.#waiting.get(jobId);
    this.forget(jobId);
    adoption?.reject(schedulerErrors.create('MR-JOB-SLOTS-GONE', { attempt: adoption.attempt, reason }));
  }
}
