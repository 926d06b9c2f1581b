import { Command } from 'commander';

import { absolutePlace } from '../absolute-place.ts';
import { addClusterOptions, type ClusterFlags } from '../client/cluster-options.ts';
import { printJson, printResult, type CommandContext } from '../command-context.ts';
import { withControl } from '../control/control-of.ts';
import { DATA_FOLDER_OPTION } from '../data-folder.ts';

interface StopOptions extends ClusterFlags {
  readonly dataDir?: string;
  /** True where no folder is named. */
  readonly savepoint?: string | true;
  readonly drain?: true;
  readonly json?: true;
}

export function stopCommand(context: CommandContext): Command {
  const command = new Command('stop')
    .description('stops a running job, and waits until it has ended')
    .argument('<job>', 'name of a job with checkpoints that `millrace run` runs here; or name or id in a cluster')
    .option('--savepoint [place]', 'writes a savepoint first, and prints where it is; no row behind it comes out')
    .option('--drain', 'with a savepoint: brings event time to its end first, so that all windows and timers fire')
    .option(...DATA_FOLDER_OPTION)
    .option('--json', 'prints one JSON document');
  return addClusterOptions(command, 'none: a job of this machine')
    .addHelpText('after', MORE_HELP)
    .action(async (jobName: string, options: StopOptions) => {
      const { savepoint, drain, json } = options;
      const to = savepoint === undefined || savepoint === true ? null : absolutePlace(savepoint, '--savepoint');
      const target = savepoint === undefined && drain === undefined ? null : { to, drains: drain === true };
      const { state, path } = await withControl(context, options, jobName, (control) => control.stop(target));
      if (json === true) await printJson(context, { job: jobName, state, path });
      else await printResult(context, path ?? `${jobName} has ended: ${state}`);
    });
}

const MORE_HELP = `
Run again, a stopped job goes on from its last checkpoint; with --savepoint that is the savepoint's. Where the savepoint
cannot be written the job goes on, and the command fails. A job of a cluster always writes a savepoint first, as in
Flink; \`millrace cancel\` ends it without.

With --drain a savepoint is always written. Windows that are not over give what they have so far: drain a job that is
to end for good, not one that is to go on. One that does begins its windows anew, and where the savepoint cannot be
written the job restarts from its last checkpoint.`;
