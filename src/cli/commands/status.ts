import { Command } from 'commander';

import type { ClusterClient } from '../client/cluster-client.ts';
import { addClusterOptions, withCluster, type ClusterFlags } from '../client/cluster-options.ts';
import { printJson, printResult, type CommandContext } from '../command-context.ts';

interface StatusOptions extends ClusterFlags {
  readonly json?: true;
}

export function statusCommand(context: CommandContext): Command {
  const command = new Command('status')
    .description('shows a job of a cluster, its state, its tasks and where they run; without one, all of the cluster')
    .argument('[job]', 'id or name of a job')
    .option('--json', 'prints what the REST API says, as one JSON document');
  return addClusterOptions(command).action((idOrName: string | undefined, options: StatusOptions) =>
    withCluster(context, options, async (client) => {
      if (idOrName === undefined) {
        await showCluster(context, client, options);
        return;
      }
      const [{ findJob }, { describeJob, lastFailureOf, readJob }] = await Promise.all([
        import('../client/cluster-jobs.ts'),
        import('../client/job-status.ts'),
      ]);
      const { jid } = await findJob(client, idOrName);
      const job = await readJob(client, jid);
      if (options.json === true) await printJson(context, job);
      else await printResult(context, describeJob(job, await lastFailureOf(client, jid)));
    }),
  );
}

async function showCluster(context: CommandContext, client: ClusterClient, { json }: StatusOptions): Promise<void> {
  const { clusterLists } = await import('../client/cluster-lists.ts');
  const [jobs, taskManagers] = await Promise.all([
    clusterLists.jobs(client, null),
    clusterLists.taskmanagers(client, null),
  ]);
  if (json === true) {
    await printJson(context, { jobs: jobs.documents, taskmanagers: taskManagers.documents });
    return;
  }
  const { textTable } = await import('../text-table.ts');
  const tables = [
    `jobs: ${jobs.documents.length}`,
    ...(jobs.documents.length === 0 ? [] : textTable(jobs.rows)),
    '',
    `TaskManagers: ${taskManagers.documents.length}`,
    ...(taskManagers.documents.length === 0 ? [] : textTable(taskManagers.rows)),
  ];
  await printResult(context, tables.join('\n'));
}
