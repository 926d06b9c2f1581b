import { Command } from 'commander';

import { absolutePlace } from '../absolute-place.ts';
import { printJson, printResult, type CommandContext } from '../command-context.ts';
import { DATA_FOLDER, DATA_FOLDER_OPTION } from '../data-folder.ts';

interface StopOptions {
  readonly dataDir?: string;
  /** True where no folder is named. */
  readonly savepoint?: string | true;
  readonly drain?: true;
  readonly json?: true;
}

export function stopCommand(context: CommandContext): Command {
  return new Command('stop')
    .description('stops a running job, and waits until it has ended')
    .argument('<job>', 'name of a job with checkpoints that `millrace run` runs on this machine')
    .option('--savepoint [place]', 'writes a savepoint first, and prints where it is; no row behind it comes out')
    .option('--drain', 'with a savepoint: brings event time to its end first, so that all windows and timers fire')
    .option(...DATA_FOLDER_OPTION)
    .option('--json', 'prints one JSON document')
    .addHelpText('after', MORE_HELP)
    .action(async (jobName: string, { dataDir = DATA_FOLDER, savepoint, drain, json }: StopOptions) => {
      const { controlOf } = await import('../control/control-of.ts');
      const to = savepoint === undefined || savepoint === true ? null : absolutePlace(savepoint, '--savepoint');
      const target = savepoint === undefined && drain === undefined ? null : { to, drains: drain === true };
      const { state, path } = await controlOf(context.ports, dataDir, jobName).stop(target);
      if (json === true) await printJson(context, { job: jobName, state, path });
      else await printResult(context, path ?? `${jobName} has ended: ${state}`);
    });
}

const MORE_HELP = `
Run again, a stopped job goes on from its last checkpoint; with --savepoint that is the savepoint's. Where the savepoint
cannot be written the job goes on, and the command fails.

With --drain a savepoint is always written. Windows that are not over give what they have so far: drain a job that is
to end for good, not one that is to go on. One that does begins its windows anew, and where the savepoint cannot be
written the job restarts from its last checkpoint.`;
