import type { Clock, JobId, SlotId } from '../core/index.ts';
import type { ExecutionPlan } from '../ha/index.ts';
import { schedulerErrors } from './errors.ts';
import { rejectionOf } from './rejection-of.ts';
import type { AllocatedSlot, LostSlots, SlotPool, SlotRequest } from './slot-pool.ts';

export interface SlotWishes {
  readonly request: SlotRequest;
  /** Takes nothing but what is best. */
  readonly patient: SlotRequest;
  readonly timeoutMs: number;
  readonly patienceMs: number;
}

/**
 * The slots of one job. They are kept from attempt to attempt while all are there. Where some are lost the others are
 * given back too: two jobs that each hold what the other one waits for would wait for ever.
 */
export class JobSlots {
  readonly #jobId: JobId;
  readonly #pool: SlotPool;
  readonly #clock: Clock;
  readonly #stopListening: () => void;
  readonly #gone = new Set<SlotId>();
  #held: readonly AllocatedSlot[] | null = null;
  #previous: readonly AllocatedSlot[] = [];
  #waitsFor: number | null = null;
  #isAbandoned = false;

  /** `onLost` is told of slots that the job holds. */
  constructor(jobId: JobId, pool: SlotPool, clock: Clock, onLost: (lost: LostSlots) => void) {
    this.#jobId = jobId;
    this.#pool = pool;
    this.#clock = clock;
    this.#stopListening = pool.onLost(jobId, ({ slotIds, error, areDead }) => {
      // What the job has given up is no loss.
      const isHeld = (id: SlotId) => this.#held?.some(({ location }) => location.slotId === id) ?? false;
      const mine = slotIds.filter((id) => isHeld(id) && !this.#gone.has(id));
      if (mine.length === 0) return;
      for (const id of mine) this.#gone.add(id);
      onLost({ slotIds: mine, error, areDead });
    });
  }

  /** Some of those that it holds are lost. */
  get haveLosses(): boolean {
    return this.#held?.some(({ location }) => this.#gone.has(location.slotId)) ?? false;
  }

  /** Those of the newest attempt, in the order of slices; lost ones too, and after they were given back. */
  get previous(): readonly AllocatedSlot[] {
    return this.#previous;
  }

  /** In words; null where it waits for none. */
  get waitingFor(): string | null {
    if (this.#waitsFor === null) return null;
    const { freeCount, totalCount } = this.#pool;
    const inWords = this.#pool.waitingFor?.(this.#jobId) ?? null;
    return inWords ?? `${this.#waitsFor} slots; ${freeCount} of ${totalCount} are free`;
  }

  /**
   * Those that it holds, or new ones. `patient` is asked for first, for as long as `patienceMs`. Rejects with
   * MR-JOB-NO-SLOTS, and with the signal's reason.
   */
  async acquire(
    { request, patient, timeoutMs, patienceMs }: SlotWishes,
    signal: AbortSignal,
  ): Promise<readonly AllocatedSlot[]> {
    if (this.#held !== null) return this.#held;
    this.#waitsFor = request.count;
    const late = Promise.withResolvers<never>();
    const timer = this.#clock.schedule(timeoutMs, () => {
      const { freeCount: free, totalCount: total } = this.#pool;
      const wanted = this.waitingFor ?? `${request.count} slots`;
      const fields = { wanted, needed: request.count, free, total, seconds: Math.round(timeoutMs / 1000) };
      late.reject(schedulerErrors.create('MR-JOB-NO-SLOTS', fields));
    });
    try {
      const endings = [late.promise, rejectionOf(signal)];
      const best = patienceMs > 0 ? await Promise.race([this.#await(patient, patienceMs), ...endings]) : null;
      return this.#hold(best ?? (await Promise.race([this.#pool.allocate(this.#jobId, request), ...endings])));
    } catch (error) {
      this.release();
      throw error;
    } finally {
      this.#waitsFor = null;
      timer.cancel();
    }
  }

  /** Those of a plan, in which its tasks run. Rejects with MR-JOB-SLOTS-GONE where one is not there. */
  async adopt({ attempt, slots }: ExecutionPlan, timeoutMs: number): Promise<readonly AllocatedSlot[]> {
    const planned = slots as Parameters<SlotPool['adopt']>[2];
    return this.#hold(await this.#pool.adopt(this.#jobId, attempt, planned, timeoutMs));
  }

  /** The slices that run in these of its slots. */
  slicesOf(slotIds: readonly SlotId[]): readonly number[] {
    const held = this.#held ?? [];
    return held.flatMap(({ location }, slice) => (slotIds.includes(location.slotId) ? [slice] : []));
  }

  /** Those of these slices are not to be used any more, as if they were lost. */
  giveUp(slices: readonly number[]): void {
    const ids = slices.flatMap((slice) => this.#held?.[slice]?.location.slotId ?? []);
    for (const id of ids) this.#gone.add(id);
    if (ids.length > 0) this.#pool.release(this.#jobId, ids);
  }

  /**
   * All that it holds, with others for those of these slices that are lost; `requestFor` says how they are chosen.
   * Rejects with the signal's reason.
   */
  async replaceLost(
    slices: readonly number[],
    requestFor: (lost: readonly number[]) => SlotRequest,
    signal: AbortSignal,
  ): Promise<readonly AllocatedSlot[]> {
    const held = this.#held ?? [];
    const isLost = (slice: number): boolean => {
      const slot = held[slice];
      return slot === undefined || this.#gone.has(slot.location.slotId);
    };
    const lost = slices.filter(isLost);
    if (lost.length === 0) return held;
    this.#waitsFor = lost.length;
    try {
      const found = await Promise.race([this.#pool.allocate(this.#jobId, requestFor(lost)), rejectionOf(signal)]);
      return this.#hold(held.map((slot, slice) => found[lost.indexOf(slice)] ?? slot));
    } finally {
      this.#waitsFor = null;
    }
  }

  release(): void {
    this.#held = null;
    this.#gone.clear();
    if (!this.#isAbandoned) this.#pool.release(this.#jobId);
  }

  /** They are another leader's. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#stopListening();
  }

  close(): void {
    this.release();
    this.#stopListening();
  }

  /** Null where the time was too short. */
  async #await(request: SlotRequest, timeoutMs: number): Promise<readonly AllocatedSlot[] | null> {
    const isOver = Promise.withResolvers<null>();
    const timer = this.#clock.schedule(timeoutMs, () => {
      isOver.resolve(null);
    });
    const slots = await Promise.race([this.#pool.allocate(this.#jobId, request), isOver.promise]);
    timer.cancel();
    if (slots === null) this.release();
    return slots;
  }

  #hold(slots: readonly AllocatedSlot[]): readonly AllocatedSlot[] {
    this.#held = slots;
    this.#previous = slots;
    this.#gone.clear();
    return slots;
  }
}
