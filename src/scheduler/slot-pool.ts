import type { JobId, MillraceError, SlotId, TaskManagerId } from '../core/index.ts';
import type { SlotLocation } from '../rpc/index.ts';

/** A slot that was given to a job. */
export interface AllocatedSlot {
  readonly location: SlotLocation;
  /** Where its TaskManagerGateway is served. */
  readonly address: string;
}

export interface FreeSlot extends AllocatedSlot {
  readonly memoryBytes: number;
  /** Of its TaskManager. */
  readonly tags: readonly string[];
}

export interface SlotRequest {
  /** How many the job needs, for whoever wants to know what it waits for. */
  readonly count: number;
  /** Where they are to be, in words such as `in racks of its splits`; absent: anywhere. */
  readonly where?: string;
  /**
   * Pure. Called whenever what is free has changed, with all free slots: the slots to take, in the order of slices, or
   * null to wait on.
   */
  choose(free: readonly FreeSlot[]): readonly FreeSlot[] | null;
}

/** The slots of a plan that could not be taken over, or were lost. */
export interface LostSlots {
  readonly slotIds: readonly SlotId[];
  /**
   * MR-TASK-MANAGER-LOST: nothing of it answers any more. Or MR-TASK-MANAGER-DRAINED: the tasks can be ended in order,
   * but the slots are not the job's any more once it has released them.
   */
  readonly error: MillraceError;
  /** Their process is gone: nothing that ran in them can write any more. Else they are silent, and may. */
  readonly areDead: boolean;
}

/** A slot of a plan. */
export interface WantedSlot {
  readonly taskManagerId: TaskManagerId;
  readonly slotId: SlotId;
  /** That runs there; absent for the newest of the job. */
  readonly attempt?: number;
}

/** Where a JobMaster gets its slots: the ResourceManager. */
export interface SlotPool {
  /** Resolves when the job has all the slots it asks for. */
  allocate(jobId: JobId, request: SlotRequest): Promise<readonly AllocatedSlot[]>;
  /**
   * After a takeover: the slots in which a job's tasks run already, in the order in which they are given. Resolves once
   * the TaskManagers of all have registered with this attempt in them; rejects with MR-JOB-SLOTS-GONE where one is
   * registered without it, is known to be gone, or has not come within `timeoutMs`. Until one of the two has happened,
   * and if it resolves, nobody else gets them.
   */
  adopt(
    jobId: JobId,
    attempt: number,
    slots: readonly WantedSlot[],
    timeoutMs: number,
  ): Promise<readonly AllocatedSlot[]>;
  /**
   * Gives back what the job has, all of it or these slots, and ends its waiting where it is all. Harmless when it has
   * nothing.
   */
  release(jobId: JobId, slotIds?: readonly SlotId[]): void;
  /** Calls back whenever slots that the job has are lost. Returns what ends that. */
  onLost(jobId: JobId, listener: (lost: LostSlots) => void): () => void;
  /** What the job waits for, in words, and what stands in its way; null where it waits for none. */
  waitingFor?(jobId: JobId): string | null;
  readonly freeCount: number;
  readonly totalCount: number;
}
