import { resolve } from 'node:path';

import type { CheckpointStorage, CheckpointStorageConfig, Ports } from '../core/index.ts';
import { embeddedCheckpointDirectory, openEmbeddedStore, type JobStore } from '../ha/index.ts';
import { openCheckpointStorage } from '../state/index.ts';

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

/** Rejects with MR-HA-LOCKED where another process runs the job from this folder. */
export async function openJobData(ports: Ports, dataFolder: string, jobName: string): Promise<JobData> {
  const directory = resolve(dataFolder);
  const store = openEmbeddedStore({ directory, ports });
  try {
    const known = await store.read(jobName);
    const storageConfig: CheckpointStorageConfig = {
      kind: 'directory',
      path: embeddedCheckpointDirectory(directory, jobName),
    };
    return {
      stores: { store, storage: openCheckpointStorage(storageConfig, ports), storageConfig },
      finishedCheckpoint:
        known?.record.isFinished === true ? (known.record.checkpoints.at(-1)?.checkpointId ?? 0) : null,
      close: () => store.close(),
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}
