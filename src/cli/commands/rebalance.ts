import { Command } from 'commander';

import { addClusterOptions, withCluster, type ClusterFlags } from '../client/cluster-options.ts';
import { printJson, printResult, type CommandContext } from '../command-context.ts';

interface RebalanceOptions extends ClusterFlags {
  readonly json?: true;
}

export function rebalanceCommand(context: CommandContext): Command {
  const command = new Command('rebalance')
    .description('spreads the tasks of a job anew over the TaskManagers, and waits until they run there')
    .argument('<job>', 'id or name of a job')
    .option('--json', 'prints one JSON document');
  return addClusterOptions(command)
    .addHelpText('after', MORE_HELP)
    .action((idOrName: string, options: RebalanceOptions) =>
      withCluster(context, options, async (client) => {
        const { findJob, rebalanceJob } = await import('../client/cluster-jobs.ts');
        const { jid, name } = await findJob(client, idOrName);
        const moved = await rebalanceJob(client, jid);
        if (options.json === true) {
          await printJson(context, { jobId: jid, job: name, moved });
          return;
        }
        const lines = moved.map(({ subtask, from, to }) => `subtask ${subtask} of each step: ${from} -> ${to}`);
        await printResult(context, [`${name} is rebalanced`, ...lines].join('\n'));
      }),
    );
}

const MORE_HELP = `
The job goes through a checkpoint and starts again where it would be placed now: near to what it reads, else evenly. It
is left as it is where that is no better.`;
