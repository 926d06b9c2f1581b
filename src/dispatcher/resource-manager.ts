import type { JobId, TaskManagerId } from '../core/index.ts';
import { EpochFence } from '../rpc/index.ts';
import type { Fenced, ResourceManagerGateway, TaskManagerRegistration } from '../rpc/index.ts';
import type { AllocatedSlot, FreeSlot, SlotPool, SlotRequest } from '../scheduler/index.ts';

interface Request {
  readonly jobId: JobId;
  readonly request: SlotRequest;
  readonly grant: (slots: readonly AllocatedSlot[]) => void;
}

interface KnownSlot extends FreeSlot {
  owner: JobId | null;
}

/** Knows the slots of all TaskManagers and gives them to jobs, in the order in which they asked. */
export class ResourceManager implements ResourceManagerGateway, SlotPool {
  readonly #fence = new EpochFence('the ResourceManager');
  readonly #slots = new Map<TaskManagerId, readonly KnownSlot[]>();
  #requests: readonly Request[] = [];

  get freeCount(): number {
    return this.#free().length;
  }

  get totalCount(): number {
    return this.#all().length;
  }

  registerTaskManager(message: TaskManagerRegistration): Promise<{ readonly heartbeatIntervalMs: number | null }> {
    this.#fence.check(message.epoch);
    const { taskManagerId, address, rack, host, tags } = message;
    const known = new Map(this.#slots.get(taskManagerId)?.map((slot) => [slot.location.slotId, slot]));
    const slots = message.slots.map(({ slotId, memoryBytes, data }): KnownSlot => {
      const location = { taskManagerId, slotId, rack, host, data };
      return known.get(slotId) ?? { location, address, memoryBytes, tags, owner: null };
    });
    this.#slots.set(taskManagerId, slots);
    this.#grant();
    return Promise.resolve({ heartbeatIntervalMs: null });
  }

  heartbeat({ epoch, taskManagerId }: Fenced & { readonly taskManagerId: TaskManagerId }) {
    this.#fence.check(epoch);
    return Promise.resolve({ isKnown: this.#slots.has(taskManagerId) });
  }

  unregisterTaskManager({ epoch, taskManagerId }: Fenced & { readonly taskManagerId: TaskManagerId }): Promise<void> {
    this.#fence.check(epoch);
    this.#slots.delete(taskManagerId);
    return Promise.resolve();
  }

  allocate(jobId: JobId, request: SlotRequest): Promise<readonly AllocatedSlot[]> {
    return new Promise((resolve) => {
      this.#requests = [...this.#requests, { jobId, request, grant: resolve }];
      this.#grant();
    });
  }

  release(jobId: JobId): void {
    this.#requests = this.#requests.filter((request) => request.jobId !== jobId);
    for (const slot of this.#all()) if (slot.owner === jobId) slot.owner = null;
    this.#grant();
  }

  /** Serves requests from the front; one that does not fit is not overtaken, or it might wait for ever. */
  #grant(): void {
    for (;;) {
      const next = this.#requests[0];
      const chosen = next?.request.choose(this.#free()) ?? null;
      if (next === undefined || chosen === null) return;
      this.#requests = this.#requests.slice(1);
      const ids = new Set(chosen.map(({ location }) => location.slotId));
      for (const slot of this.#all()) if (ids.has(slot.location.slotId)) slot.owner = next.jobId;
      next.grant(chosen.map(({ location, address }) => ({ location, address })));
    }
  }

  #free(): readonly KnownSlot[] {
    return this.#all().filter(({ owner }) => owner === null);
  }

  #all(): readonly KnownSlot[] {
    return [...this.#slots.values()].flat();
  }
}
