import { Command } from 'commander';

import { addClusterOptions, withCluster, type ClusterFlags } from '../client/cluster-options.ts';
import { printJson, printResult, type CommandContext } from '../command-context.ts';

interface CancelOptions extends ClusterFlags {
  readonly json?: true;
}

export function cancelCommand(context: CommandContext): Command {
  const command = new Command('cancel')
    .description('ends a job of a cluster without a savepoint, and waits until it has ended')
    .argument('<job>', 'id or name of a job')
    .option('--json', 'prints one JSON document');
  return addClusterOptions(command)
    .addHelpText('after', '\nSubmitted again, a job of the same name goes on from its last checkpoint.')
    .action((idOrName: string, options: CancelOptions) =>
      withCluster(context, options, async (client) => {
        const { cancelJob, findJob } = await import('../client/cluster-jobs.ts');
        const { jid, name } = await findJob(client, idOrName);
        const state = await cancelJob(client, jid);
        if (options.json === true) await printJson(context, { jobId: jid, job: name, state });
        else await printResult(context, `${name} has ended: ${state}`);
      }),
    );
}
