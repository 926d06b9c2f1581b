import { Command } from 'commander';

import { addClusterOptions, withCluster, type ClusterFlags } from '../client/cluster-options.ts';
import { printJson, printResult, type CommandContext } from '../command-context.ts';
import { parseParallelism } from '../parallelism-option.ts';

interface RescaleOptions extends ClusterFlags {
  readonly json?: true;
  readonly parallelism: number;
}

export function rescaleCommand(context: CommandContext): Command {
  const command = new Command('rescale')
    .description('lets a job of a cluster go on with another parallelism, and waits until it does')
    .argument('<job>', 'id or name of a job')
    .requiredOption(
      '-p, --parallelism <N>',
      'into how many subtasks steps are divided where the job file says nothing of them',
      parseParallelism,
    )
    .option('--json', 'prints one JSON document');
  return addClusterOptions(command)
    .addHelpText('after', '\nThe job stops with a savepoint and starts from there, under the same id.')
    .action((idOrName: string, options: RescaleOptions) =>
      withCluster(context, options, async (client) => {
        const { findJob, rescaleJob } = await import('../client/cluster-jobs.ts');
        const { jid, name } = await findJob(client, idOrName);
        const { parallelism } = options;
        await rescaleJob(client, jid, parallelism);
        if (options.json === true) await printJson(context, { jobId: jid, job: name, parallelism });
        else await printResult(context, `${name} goes on with parallelism ${parallelism}`);
      }),
    );
}
