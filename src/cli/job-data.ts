import { resolve } from 'node:path';

import type { CheckpointPlace, CheckpointStorage, CheckpointStorageConfig, Ports } from '../core/index.ts';
import { openEmbeddedStore, type JobStore } from '../ha/index.ts';
import { openCheckpointStorage } from '../state/index.ts';
import { keepPlace } from './checkpoint-place.ts';

/** What a job leaves behind in this machine's files, and takes up again: its record and its checkpoints. */
export interface JobData {
  readonly stores: {
    readonly store: JobStore;
    readonly storage: CheckpointStorage;
    readonly storageConfig: CheckpointStorageConfig;
  };
  /** The checkpoint with which the job has ended by itself; null where it has not. */
  readonly finishedCheckpoint: number | null;
  /** Called once nothing of the job runs any more. */
  close(): Promise<void>;
}

export interface JobDataRequest {
  readonly dataFolder: string;
  readonly jobName: string;
  readonly place: CheckpointPlace | undefined;
}

/**
 * Rejects with MR-HA-LOCKED where another process runs the job from this folder, and with what forbids to read and
 * write where its checkpoints are.
 */
export async function openJobData(ports: Ports, request: JobDataRequest): Promise<JobData> {
  const { dataFolder, jobName } = request;
  const directory = resolve(dataFolder);
  const store = openEmbeddedStore({ directory, ports });
  try {
    const known = await store.read(jobName);
    const storageConfig = await keepPlace({ ...request, ports });
    const storage = openCheckpointStorage(storageConfig, ports);
    // A wrong name or key is the user's to mend before anything runs, and nothing to try again and again.
    if (storageConfig.kind === 's3') await storage.list();
    return {
      stores: { store, storage, storageConfig },
      finishedCheckpoint:
        known?.record.isFinished === true ? (known.record.checkpoints.at(-1)?.checkpointId ?? 0) : null,
      close: () => store.close(),
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
