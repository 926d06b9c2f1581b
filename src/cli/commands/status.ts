import { Command } from 'commander';

import { addClusterOptions, withCluster, type ClusterFlags } from '../client/cluster-options.ts';
import { printJson, printResult, type CommandContext } from '../command-context.ts';

interface StatusOptions extends ClusterFlags {
  readonly json?: true;
}

export function statusCommand(context: CommandContext): Command {
  const command = new Command('status')
    .description('shows a job of a cluster: its state, its tasks and where they run')
    .argument('<job>', 'id or name of a job')
    .option('--json', 'prints what the REST API says, as one JSON document');
  return addClusterOptions(command).action((idOrName: string, options: StatusOptions) =>
    withCluster(context, options, async (client) => {
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
