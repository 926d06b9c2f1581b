import type { JobId, SlotId, TaskManagerId } from '../../core/index.ts';
import type { TaskManagerRegistration } from '../../rpc/index.ts';
import type { FreeSlot } from '../../scheduler/index.ts';

/** What a slot is used for, as far as the leader knows. */
export type SlotUse =
  | { readonly kind: 'free' }
  /** Was given to a job. */
  | { readonly kind: 'owned'; readonly jobId: JobId }
  /** Runs tasks from before this leader; nobody has taken them over yet. */
  | { readonly kind: 'occupied'; readonly jobId: JobId; readonly attempt: number }
  /** What it runs, or may run, for this job is being ended. */
  | { readonly kind: 'freeing'; readonly jobId: JobId };

export interface KnownSlot {
  /** As it is offered to jobs. */
  offer: FreeSlot;
  use: SlotUse;
}

/** A TaskManager that has registered, and its slots. */
export class KnownTaskManager {
  readonly id: TaskManagerId;
  readonly slots = new Map<SlotId, KnownSlot>();
  #registration: TaskManagerRegistration;
  /** Unregistered: it only waits for its slots to be freed. */
  isLeaving = false;
  stopWatching: () => void = () => undefined;

  constructor(registration: TaskManagerRegistration) {
    this.id = registration.taskManagerId;
    this.#registration = registration;
    this.register(registration);
  }

  get registration(): TaskManagerRegistration {
    return this.#registration;
  }

  /** What is known of a slot that was given away stays; of the others the TaskManager knows best. */
  register(registration: TaskManagerRegistration): void {
    this.#registration = registration;
    const { taskManagerId, address, rack, host, tags } = registration;
    const before = new Map(this.slots);
    this.slots.clear();
    for (const { slotId, memoryBytes, data, occupant } of registration.slots) {
      const offer = { location: { taskManagerId, slotId, rack, host, data }, address, memoryBytes, tags };
      const known = before.get(slotId);
      const reported: SlotUse = occupant === null ? { kind: 'free' } : { kind: 'occupied', ...occupant };
      if (known === undefined) {
        this.slots.set(slotId, { offer, use: reported });
        continue;
      }
      known.offer = offer;
      if (known.use.kind === 'free' || known.use.kind === 'occupied') known.use = reported;
      this.slots.set(slotId, known);
    }
  }

  /** The slots that a job was given. */
  ownedBy(jobId: JobId): readonly KnownSlot[] {
    return [...this.slots.values()].filter(({ use }) => use.kind === 'owned' && use.jobId === jobId);
  }
}
