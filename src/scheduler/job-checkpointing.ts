import { toMillraceError } from '../core/index.ts';
import { Checkpointer } from './checkpoint/checkpointer.ts';
import type { CheckpointerOptions } from './checkpoint/checkpointer.ts';
import type { JobMasterOptions } from './job-master-options.ts';
import { JobRecovery } from './recovery/job-recovery.ts';

/** Both null where the job takes no checkpoints. */
export interface JobCheckpointing {
  readonly recovery: JobRecovery | null;
  readonly checkpointer: Checkpointer | null;
}

export function createCheckpointing(
  options: JobMasterOptions,
  world: Pick<CheckpointerOptions, 'send' | 'unreachable' | 'fail'>,
): JobCheckpointing {
  const { graph, store, storage, ports, plans = null, openStorage = null } = options;
  const settings = graph.checkpoint;
  if (settings === null || store === null || storage === null) return { recovery: null, checkpointer: null };
  const recovery = new JobRecovery({ ...options, settings, store, storage });
  const checkpointer = new Checkpointer({
    ...{ graph, settings, ports, storage, recovery, openStorage, ...world },
    endures: (error) => plans !== null && toMillraceError(error).code === 'MR-HA-UNAVAILABLE',
  });
  return { recovery, checkpointer };
}
