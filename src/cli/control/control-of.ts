import { withCluster, namesCluster, type ClusterFlags } from '../client/cluster-options.ts';
import type { CommandContext } from '../command-context.ts';
import { DATA_FOLDER } from '../data-folder.ts';
import type { JobControl } from './job-control.ts';

export interface ControlFlags extends ClusterFlags {
  readonly dataDir?: string;
}

/**
 * Gives `use` the control of a job: of a cluster, where the command line or the environment names one and no data
 * folder is named; else of one that another process of this machine runs.
 */
export async function withControl<T>(
  context: CommandContext,
  flags: ControlFlags,
  job: string,
  use: (control: JobControl) => Promise<T>,
): Promise<T> {
  if (flags.dataDir === undefined && namesCluster(context, flags)) {
    const { clusterControl } = await import('../client/cluster-control.ts');
    return withCluster(context, flags, (client) => use(clusterControl(client, job)));
  }
  const [{ remoteControl }, { controlFile }] = await Promise.all([
    import('./local-control.ts'),
    import('./running-job.ts'),
  ]);
  return use(remoteControl(context.ports, controlFile(flags.dataDir ?? DATA_FOLDER, job), job));
}
