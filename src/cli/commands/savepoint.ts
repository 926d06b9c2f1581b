import { Command } from 'commander';

import { absolutePlace } from '../absolute-place.ts';
import { printJson, printResult, type CommandContext } from '../command-context.ts';
import { DATA_FOLDER, DATA_FOLDER_OPTION } from '../data-folder.ts';

interface SavepointOptions {
  readonly dataDir?: string;
  readonly to?: string;
  readonly json?: true;
}

export function savepointCommand(context: CommandContext): Command {
  return new Command('savepoint')
    .description('lets a running job write a savepoint, and prints where it is')
    .argument('<job>', 'name of a job with checkpoints that `millrace run` runs on this machine')
    .option('--to <place>', 'path or s3:// URL to put it at, in a folder of its own (beside the job\'s checkpoints)')
    .option(...DATA_FOLDER_OPTION)
    .option('--json', 'prints one JSON document')
    .addHelpText('after', MORE_HELP)
    .action(async (jobName: string, { dataDir = DATA_FOLDER, to, json }: SavepointOptions) => {
      const { controlOf } = await import('../control/control-of.ts');
      const target = to === undefined ? null : absolutePlace(to, '--to');
      const { path } = await controlOf(context.ports, dataDir, jobName).savepoint(target);
      if (json === true) await printJson(context, { job: jobName, path });
      else await printResult(context, path);
    });
}

const MORE_HELP = `
A savepoint needs nothing but its folder, which may be moved, and is never removed by a job. It is complete, and all
output before it committed, when the command ends. \`millrace run job.yaml --from PATH\` starts from it.`;
