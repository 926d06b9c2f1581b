import { Command } from 'commander';

import { absolutePlace } from '../absolute-place.ts';
import { addClusterOptions, type ClusterFlags } from '../client/cluster-options.ts';
import { printJson, printResult, type CommandContext } from '../command-context.ts';
import { withControl } from '../control/control-of.ts';
import { DATA_FOLDER_OPTION } from '../data-folder.ts';

interface SavepointOptions extends ClusterFlags {
  readonly dataDir?: string;
  readonly to?: string;
  readonly json?: true;
}

export function savepointCommand(context: CommandContext): Command {
  const command = new Command('savepoint')
    .description('lets a running job write a savepoint, and prints where it is')
    .argument('<job>', 'name of a job with checkpoints that `millrace run` runs here; or name or id in a cluster')
    .option('--to <place>', 'path or s3:// URL to put it at, in a folder of its own (beside the job\'s checkpoints)')
    .option(...DATA_FOLDER_OPTION)
    .option('--json', 'prints one JSON document');
  return addClusterOptions(command, 'none: a job of this machine')
    .addHelpText('after', MORE_HELP)
    .action(async (jobName: string, options: SavepointOptions) => {
      const { to, json } = options;
      const target = to === undefined ? null : absolutePlace(to, '--to');
      const { path } = await withControl(context, options, jobName, (control) => control.savepoint(target));
      if (json === true) await printJson(context, { job: jobName, path });
      else await printResult(context, path);
    });
}

const MORE_HELP = `
A savepoint needs nothing but its folder, which may be moved, and is never removed by a job. It is complete, and all
output before it committed, when the command ends. \`millrace run job.yaml --from PATH\` starts from it.`;
