import type { JobId, TaskManagerId } from '../core/index.ts';
import { EpochFence } from '../rpc/index.ts';
import type { Fenced, ResourceManagerGateway, TaskManagerRegistration } from '../rpc/index.ts';
import type { AllocatedSlot, SlotPool } from '../scheduler/index.ts';

interface Request {
  readonly jobId: JobId;
  readonly count: number;
  readonly grant: (slots: readonly AllocatedSlot[]) => void;
}

interface RegisteredSlot extends AllocatedSlot {
  owner: JobId | null;
}

/** Knows the slots of all TaskManagers and gives them to jobs, in the order in which they asked. */
export class ResourceManager implements ResourceManagerGateway, SlotPool {
  readonly #fence = new EpochFence('the ResourceManager');
  readonly #slots = new Map<TaskManagerId, readonly RegisteredSlot[]>();
  #requests: readonly Request[] = [];

  get freeCount(): number {
    return this.#all().filter(({ owner }) => owner === null).length;
  }

  get totalCount(): number {
    return this.#all().length;
  }

  registerTaskManager(message: TaskManagerRegistration): Promise<void> {
    this.#fence.check(message.epoch);
    const { taskManagerId, address, rack, host } = message;
    const known = new Map(this.#slots.get(taskManagerId)?.map((slot) => [slot.location.slotId, slot]));
    const slots = message.slots.map(
      ({ slotId }): RegisteredSlot =>
        known.get(slotId) ?? { location: { taskManagerId, slotId, rack, host }, address, owner: null },
    );
    this.#slots.set(taskManagerId, slots);
    this.#grant();
    return Promise.resolve();
  }

  unregisterTaskManager({ epoch, taskManagerId }: Fenced & { readonly taskManagerId: TaskManagerId }): Promise<void> {
    this.#fence.check(epoch);
    this.#slots.delete(taskManagerId);
    return Promise.resolve();
  }

  allocate(jobId: JobId, count: number): Promise<readonly AllocatedSlot[]> {
    return new Promise((resolve) => {
      this.#requests = [...this.#requests, { jobId, count, grant: resolve }];
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
      const request = this.#requests[0];
      const free = this.#all().filter(({ owner }) => owner === null);
      if (request === undefined || free.length < request.count) return;
      this.#requests = this.#requests.slice(1);
      const granted = free.slice(0, request.count);
      for (const slot of granted) slot.owner = request.jobId;
      request.grant(granted.map(({ location, address }) => ({ location, address })));
    }
  }

  #all(): readonly RegisteredSlot[] {
    return [...this.#slots.values()].flat();
  }
}
