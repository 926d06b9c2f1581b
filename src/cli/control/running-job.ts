/** JobControl of a job that runs in this process. */
import { join, resolve } from 'node:path';

import type { CheckpointStorageConfig, Ports } from '../../core/index.ts';
import type { JobHandle } from '../../dispatcher/index.ts';
import { embeddedCheckpointDirectory } from '../../ha/index.ts';
import { savepointPlace } from '../checkpoint-place.ts';
import type { JobControl } from './job-control.ts';

const RANDOM_BYTES = 8;
const MAX_NAME_LENGTH = 60;

/** Where a job's process says how it can be reached. */
export function controlFile(dataFolder: string, jobName: string): string {
  return join(embeddedCheckpointDirectory(resolve(dataFolder), jobName), '..', 'control');
}

export interface RunningJobOptions {
  readonly job: JobHandle;
  /** Where its checkpoints are. */
  readonly storageConfig: CheckpointStorageConfig;
  readonly randomness: Ports['randomness'];
  /** Somebody has asked the job to stop, and it is going to. */
  readonly onStop: () => void;
}

export function runningJobControl({ job, storageConfig, randomness, onStop }: RunningJobOptions): JobControl {
  const savepoint = async (to: string | null, stopsSources: boolean, drains: boolean): Promise<string> => {
    const name = job.name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, MAX_NAME_LENGTH);
    const place = savepointPlace(storageConfig, to, `savepoint-${name}-${randomness.hex(RANDOM_BYTES)}`);
    await job.savepoint({ target: place.config, stopsSources, drains });
    return place.location;
  };
  return {
    status() {
      const completed = job.checkpoints().recent.find(({ state }) => state === 'completed');
      const checkpointId = completed?.checkpointId ?? null;
      return Promise.resolve({ job: job.name, state: job.state, checkpointId });
    },
    async savepoint(to) {
      return { path: await savepoint(to, false, false) };
    },
    async stop(wanted) {
      const path = wanted === null ? null : await savepoint(wanted.to, true, wanted.drains);
      onStop();
      await job.cancel();
      const { state } = await job.result;
      return { state, path };
    },
  };
}
