import type { CheckpointStorage, CheckpointStorageConfig } from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';
import { schedulerErrors } from '../scheduler/index.ts';

/** Where one job keeps its checkpoints. */
export interface JobStorage {
  /** Of this job alone: files that it does not know are removed from it. */
  readonly storage: CheckpointStorage;
  /** What slots make their own storage from: the same place as `storage`. */
  readonly storageConfig: CheckpointStorageConfig;
}

/** Finds the place of a job that takes checkpoints; rejects where it can have none. */
export type FindJobStorage = (graph: JobGraph) => Promise<JobStorage>;

/** One place, which belongs to the first job that asks for it. */
export function singleJobStorage(place: JobStorage): FindJobStorage {
  let owner: string | null = null;
  return ({ name }) => {
    // What a job does not know in its storage, it takes for leftovers.
    owner ??= name;
    if (owner === name) return Promise.resolve(place);
    return Promise.reject(schedulerErrors.create('MR-JOB-STORAGE-TAKEN', { name: owner }));
  };
}
