import type { Clock, JobId, MillraceError, SlotId, TaskManagerId, Timer } from '../../core/index.ts';
import type { DrainMark } from '../../ha/index.ts';
import { EpochFence } from '../../rpc/index.ts';
import type { Fenced, ResourceManagerGateway, RpcTransport, TaskManagerRegistration } from '../../rpc/index.ts';
import { schedulerErrors } from '../../scheduler/index.ts';
import type { AllocatedSlot, FreeSlot, LostSlots, SlotPool, SlotRequest, WantedSlot } from '../../scheduler/index.ts';
import { HeartbeatMonitor } from './heartbeat-monitor.ts';
import type { HeartbeatSettings } from './heartbeat-monitor.ts';
import { KnownTaskManager } from './known-task-manager.ts';
import type { KnownSlot } from './known-task-manager.ts';
import { SlotAdoptions } from './slot-adoptions.ts';

export interface ResourceManagerOptions {
  readonly clock: Clock;
  readonly epoch: number;
  /** Null where its only TaskManager is in this process: nothing is watched then, and slots are free at once. */
  readonly remote: { readonly rpc: RpcTransport; readonly heartbeats: HeartbeatSettings } | null;
}

export interface SlotsWithinReach {
  readonly own: readonly FreeSlot[];
  readonly free: readonly FreeSlot[];
  /** Of all jobs: those that nobody may have are left out. */
  readonly offeredCount: number;
  readonly isWaitedFor: boolean;
}

interface Request {
  readonly jobId: JobId;
  readonly request: SlotRequest;
  readonly grant: (slots: readonly AllocatedSlot[]) => void;
}

type LostListener = (lost: LostSlots) => void;

/** How long after a slot could not be freed this is tried again. */
const FREE_RETRY_MS = 1000;
/** For how long somebody waits for slots to be freed that wants to ask for them again. */
const FREED_TIMEOUT_MS = 5000;
const LONGEST_TIMER_MS = 86_400_000;

/**
 * Knows the slots of all TaskManagers and gives them to jobs, in the order in which they asked; notices who is gone.
 * Of one leadership: the next leader starts anew with what registers.
 */
export class ResourceManager implements ResourceManagerGateway, SlotPool {
  readonly #options: ResourceManagerOptions;
  readonly #fence = new EpochFence('the ResourceManager');
  readonly #taskManagers = new Map<TaskManagerId, KnownTaskManager>();
  readonly #monitor: HeartbeatMonitor | null;
  readonly #adoptions: SlotAdoptions;
  readonly #drains = new Map<TaskManagerId, DrainMark>();
  /** Of drain marks. */
  readonly #expiries = new Set<Timer>();
  readonly #lostListeners = new Map<JobId, Set<LostListener>>();
  readonly #changeListeners = new Set<() => void>();
  #requests: readonly Request[] = [];
  #isClosed = false;

  constructor(options: ResourceManagerOptions) {
    const { clock, epoch, remote } = options;
    this.#options = options;
    this.#fence.check(epoch);
    this.#adoptions = new SlotAdoptions(clock);
    const onSilent = (id: TaskManagerId, silentMs: number): void => {
      this.#lost(id, `it has not been heard of for ${(silentMs / 1000).toFixed(1)} s`, false);
    };
    this.#monitor = remote === null ? null : new HeartbeatMonitor(clock, remote.heartbeats, onSilent);
  }

  get freeCount(): number {
    return this.#free().length;
  }

  /** Those that a job could be given. */
  freeSlots(): readonly FreeSlot[] {
    return this.#free().map(({ offer }) => offer);
  }

  get totalCount(): number {
    return this.#present().reduce((sum, { slots }) => sum + slots.size, 0);
  }

  /** In the order of their first registration. */
  get taskManagers(): readonly KnownTaskManager[] {
    return this.#present();
  }

  heardAtMs(id: TaskManagerId): number | null {
    return this.#monitor?.heardAtMs(id) ?? null;
  }

  async registerTaskManager(message: TaskManagerRegistration) {
    this.#check(message);
    const { taskManagerId: id, address } = message;
    const known = this.#taskManagers.get(id);
    const manager = known ?? new KnownTaskManager(message);
    if (known?.registration.address !== address) {
      known?.stopWatching();
      manager.stopWatching = this.#watch(id, address);
    }
    this.#adoptions.isBack(id);
    if (known === undefined) this.#taskManagers.set(id, manager);
    else manager.register(message);
    this.#monitor?.heard(id);
    this.#settle();
    return { heartbeatIntervalMs: this.#options.remote?.heartbeats.intervalMs ?? null };
  }

  async heartbeat(message: Fenced & { readonly taskManagerId: TaskManagerId }) {
    this.#check(message);
    const isKnown = this.#taskManagers.has(message.taskManagerId);
    if (isKnown) this.#monitor?.heard(message.taskManagerId);
    return { isKnown };
  }

  async unregisterTaskManager(message: Fenced & { readonly taskManagerId: TaskManagerId }): Promise<void> {
    this.#check(message);
    const manager = this.#taskManagers.get(message.taskManagerId);
    if (manager === undefined) {
      // It ends while leaders change: nobody need wait for what ran there.
      this.taskManagerGone(message.taskManagerId, 'it is being shut down');
      return;
    }
    if (manager.isLeaving) return;
    manager.isLeaving = true;
    this.#vacate(manager, 'it is being shut down');
    this.#adoptions.gone(manager.id, 'it is being shut down');
    if (this.#options.remote === null) this.#taskManagers.delete(manager.id);
    this.#settle();
  }

  allocate(jobId: JobId, request: SlotRequest): Promise<readonly AllocatedSlot[]> {
    this.#adoptions.forget(jobId);
    return new Promise((resolve) => {
      this.#requests = [...this.#requests, { jobId, request, grant: resolve }];
      this.#settle();
    });
  }

  /**
   * Called by a new leader before it can be reached: slots that run these attempts are kept for the job until it adopts
   * them, asks for others, or releases what it has.
   */
  expectAdoption(jobId: JobId, attempts: readonly number[]): void {
    this.#adoptions.expect(jobId, attempts);
  }

  adopt(jobId: JobId, attempt: number, slots: readonly WantedSlot[], timeoutMs: number) {
    const adopted = this.#adoptions.start(jobId, attempt, slots, timeoutMs, () => {
      this.#settle();
    });
    this.#settle();
    return adopted;
  }

  release(jobId: JobId, slotIds?: readonly SlotId[]): void {
    if (slotIds === undefined) {
      this.#requests = this.#requests.filter((request) => request.jobId !== jobId);
      this.#adoptions.forget(jobId);
    }
    for (const manager of this.#taskManagers.values()) {
      for (const slot of manager.ownedBy(jobId)) {
        if (slotIds?.includes(slot.offer.location.slotId) ?? true) this.#freeSlot(manager, slot, jobId);
      }
    }
    this.#settle();
  }

  onLost(jobId: JobId, listener: LostListener): () => void {
    const listeners = this.#lostListeners.get(jobId) ?? new Set();
    this.#lostListeners.set(jobId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#lostListeners.get(jobId) === listeners) this.#lostListeners.delete(jobId);
    };
  }

  /** Resolves once nothing that the job had is being freed any more, or after 5 s: others may get its slots then. */
  async whenFreed(jobId: JobId): Promise<void> {
    const isFreed = (): boolean => {
      const slots = [...this.#taskManagers.values()].flatMap((manager) => [...manager.slots.values()]);
      return this.#isClosed || !slots.some(({ use }) => use.kind === 'freeing' && use.jobId === jobId);
    };
    const waiting = Promise.withResolvers<undefined>();
    const timer = this.#options.clock.schedule(FREED_TIMEOUT_MS, () => waiting.resolve(undefined), true);
    const stopListening = this.onChange(() => {
      if (isFreed()) waiting.resolve(undefined);
    });
    if (!isFreed()) await waiting.promise;
    timer.cancel();
    stopListening();
  }

  /** Calls back whenever slots may have come, gone, or changed hands. Returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  /** The slots that the job has and may keep, those that nobody has, and whether other jobs wait for these. */
  withinReach(jobId: JobId): SlotsWithinReach {
    const offered = this.#present().filter(({ id }) => this.drainOf(id) === null);
    const own = offered.flatMap((manager) => manager.ownedBy(jobId));
    return {
      own: own.map(({ offer }) => offer),
      free: this.#free().map(({ offer }) => offer),
      offeredCount: offered.reduce((sum, { slots }) => sum + slots.size, 0),
      isWaitedFor: this.#requests.some((request) => request.jobId !== jobId),
    };
  }

  /** A TaskManager is known to be gone that has perhaps never registered here: nobody need wait for it. */
  taskManagerGone(id: TaskManagerId, reason: string): void {
    if (this.#taskManagers.has(id)) return;
    this.#adoptions.gone(id, reason);
    this.#settle();
  }

  /** All that say where they are, whether they have registered here or not: who is not among them has perhaps ended. */
  taskManagersAnnounced(ids: ReadonlySet<TaskManagerId>): void {
    this.#adoptions.announced(ids);
    this.#settle();
  }

  /** Those that have a mark, here or not. */
  get drainedIds(): readonly TaskManagerId[] {
    return [...this.#drains.keys()];
  }

  drainOf(id: TaskManagerId): DrainMark | null {
    const mark = this.#drains.get(id);
    const { clock } = this.#options;
    return mark === undefined || (mark.expiresAtMs !== null && mark.expiresAtMs <= clock.nowMs()) ? null : mark;
  }

  /** Its tasks go elsewhere, and it gets no more. */
  drain(mark: DrainMark): void {
    const id = mark.taskManagerId as TaskManagerId;
    this.#drains.set(id, mark);
    const manager = this.#taskManagers.get(id);
    if (manager !== undefined) this.#vacate(manager, mark.reason);
    this.#settle();
    if (mark.expiresAtMs !== null) this.#awaitExpiry(mark.expiresAtMs);
  }

  undrain(id: TaskManagerId): void {
    this.#drains.delete(id);
    this.#settle();
  }

  /** What a job waits for here, in words; null where it waits for no slots. */
  waitingFor(jobId: JobId): string | null {
    const position = this.#requests.findIndex((request) => request.jobId === jobId);
    const request = this.#requests[position]?.request;
    if (request === undefined) return null;
    const drained = this.#present().filter(({ id }) => this.drainOf(id) !== null).length;
    const notes = [
      `${this.freeCount} of ${this.totalCount} are free`,
      ...(drained === 0 ? [] : [`drained TaskManagers: ${drained}`]),
      ...(position === 0 ? [] : [`jobs that wait in front of it: ${position}`]),
    ];
    const where = request.where === undefined ? '' : ` ${request.where}`;
    return `${request.count} ${request.count === 1 ? 'slot' : 'slots'}${where} (${notes.join('; ')})`;
  }

  /** Ends its timers and watches; tells nobody anything. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#expiries) timer.cancel();
    this.#monitor?.close();
    this.#adoptions.close();
    this.#requests = [];
    this.#lostListeners.clear();
    for (const listener of [...this.#changeListeners]) listener();
    this.#changeListeners.clear();
    for (const { stopWatching } of this.#taskManagers.values()) stopWatching();
    this.#taskManagers.clear();
  }

  #check({ epoch }: Fenced): void {
    this.#fence.check(epoch);
  }

  #watch(id: TaskManagerId, address: string): () => void {
    const { remote } = this.#options;
    if (remote === null) return () => undefined;
    return remote.rpc.watch(address, (reason) => {
      this.#lost(id, reason, true);
    });
  }

  #lost(id: TaskManagerId, reason: string, areDead: boolean): void {
    const manager = this.#taskManagers.get(id);
    if (manager === undefined) return;
    const fields = { taskManager: id, address: manager.registration.address, reason };
    this.#forget(manager);
    this.#tell(ownedSlots(manager), schedulerErrors.create('MR-TASK-MANAGER-LOST', fields), areDead);
    this.#adoptions.gone(id, reason);
    this.#settle();
  }

  #forget(manager: KnownTaskManager): void {
    this.#taskManagers.delete(manager.id);
    this.#monitor?.forget(manager.id);
    manager.stopWatching();
  }

  /** Those who have tasks there are told to go elsewhere; they end what runs, and give the slots back. */
  #vacate(manager: KnownTaskManager, reason: string): void {
    const fields = { taskManager: manager.id, address: manager.registration.address, reason };
    this.#tell(ownedSlots(manager), schedulerErrors.create('MR-TASK-MANAGER-DRAINED', fields), false);
  }

  #tell(lost: ReadonlyMap<JobId, readonly KnownSlot[]>, error: MillraceError, areDead: boolean): void {
    for (const [jobId, slots] of lost) {
      const slotIds = slots.map(({ offer }) => offer.location.slotId);
      for (const listener of [...(this.#lostListeners.get(jobId) ?? [])]) listener({ slotIds, error, areDead });
    }
  }

  #awaitExpiry(atMs: number): void {
    const { clock } = this.#options;
    const expired = (): void => {
      this.#expiries.delete(timer);
      if (clock.nowMs() < atMs) this.#awaitExpiry(atMs);
      else this.#settle();
    };
    const timer = clock.schedule(Math.min(atMs - clock.nowMs(), LONGEST_TIMER_MS), expired, true);
    this.#expiries.add(timer);
  }

  /** Ends what the slot may run for the job; it is free once its TaskManager says so. */
  #freeSlot(manager: KnownTaskManager, slot: KnownSlot, jobId: JobId): void {
    const { remote, epoch, clock } = this.#options;
    if (remote === null) {
      slot.use = { kind: 'free' };
      return;
    }
    slot.use = { kind: 'freeing', jobId };
    const { slotId } = slot.offer.location;
    const isCurrent = (): boolean => !this.#isClosed && this.#taskManagers.get(manager.id) === manager;
    remote.rpc
      .connect('task-manager', manager.registration.address)
      .freeSlot({ epoch, jobId, slotId })
      .then(
        () => {
          slot.use = { kind: 'free' };
          if (isCurrent()) this.#settle();
        },
        () => {
          clock.schedule(
            FREE_RETRY_MS,
            () => {
              if (isCurrent()) this.#freeSlot(manager, slot, jobId);
            },
            true,
          );
        },
      );
  }

  /** Draws the conclusions from what has changed. */
  #settle(): void {
    if (this.#isClosed) return;
    this.#adoptions.settle(this.#taskManagers, (id) => this.#isOffered(id));
    for (const manager of [...this.#taskManagers.values()]) {
      for (const slot of manager.slots.values()) {
        const { use } = slot;
        if (use.kind !== 'occupied' || this.#adoptions.wants(use.jobId, use.attempt)) continue;
        this.#freeSlot(manager, slot, use.jobId);
      }
      const isEmpty = [...manager.slots.values()].every(({ use }) => use.kind === 'free');
      if (manager.isLeaving && isEmpty) this.#forget(manager);
    }
    this.#grant();
    for (const listener of [...this.#changeListeners]) listener();
  }

  /** Serves requests from the front; one that does not fit is not overtaken, or it might wait for ever. */
  #grant(): void {
    for (;;) {
      const next = this.#requests[0];
      const chosen = next?.request.choose(this.#free().map(({ offer }) => offer)) ?? null;
      if (next === undefined || chosen === null) return;
      this.#requests = this.#requests.slice(1);
      const ids = new Set(chosen.map(({ location }) => location.slotId));
      for (const slot of this.#free()) {
        if (ids.has(slot.offer.location.slotId)) slot.use = { kind: 'owned', jobId: next.jobId };
      }
      next.grant(chosen.map(({ location, address }) => ({ location, address })));
    }
  }

  #isOffered(id: TaskManagerId): boolean {
    return this.#taskManagers.get(id)?.isLeaving !== true && this.drainOf(id) === null;
  }

  #present(): readonly KnownTaskManager[] {
    return [...this.#taskManagers.values()].filter(({ isLeaving }) => !isLeaving);
  }

  #free(): readonly KnownSlot[] {
    const offered = this.#present().filter(({ id }) => this.drainOf(id) === null);
    return offered.flatMap(({ slots }) => [...slots.values()]).filter(({ use }) => use.kind === 'free');
  }
}

function ownedSlots({ slots }: KnownTaskManager): ReadonlyMap<JobId, readonly KnownSlot[]> {
  const owned = new Map<JobId, readonly KnownSlot[]>();
  for (const slot of slots.values()) {
    if (slot.use.kind !== 'owned') continue;
    owned.set(slot.use.jobId, [...(owned.get(slot.use.jobId) ?? []), slot]);
  }
  return owned;
}
