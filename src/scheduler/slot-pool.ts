import type { JobId } from '../core/index.ts';
import type { SlotLocation } from '../rpc/index.ts';

/** A slot that was given to a job. */
export interface AllocatedSlot {
  readonly location: SlotLocation;
  /** Where its TaskManagerGateway is served. */
  readonly address: string;
}

/** Where a JobMaster gets its slots: the ResourceManager. */
export interface SlotPool {
  /** Resolves when the job has all the slots it asks for. */
  allocate(jobId: JobId, count: number): Promise<readonly AllocatedSlot[]>;
  /** Gives everything back that the job has, and ends its waiting. Harmless when it has nothing. */
  release(jobId: JobId): void;
  readonly freeCount: number;
  readonly totalCount: number;
}
