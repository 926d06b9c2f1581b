import { Command } from 'commander';

import { defineOptions, parseOptions } from '../../core/index.ts';
import { addClusterOptions, withCluster, type ClusterFlags } from '../client/cluster-options.ts';
import { printJson, printResult, type CommandContext } from '../command-context.ts';
import { cliErrors } from '../errors.ts';

interface DrainOptions extends ClusterFlags {
  readonly reason?: string;
  readonly for?: string;
  readonly json?: true;
}

const durations = defineOptions({ for: { kind: 'duration', min: 1, doc: 'how long it lasts' } });

export function drainCommand(context: CommandContext): Command {
  const command = new Command('drain')
    .description('moves the tasks of a TaskManager elsewhere, and gives it no more')
    .argument('<taskmanager>', 'id of a TaskManager, or how it begins')
    .option('--reason <text>', 'why, for whoever looks')
    .option('--for <duration>', 'ends by itself after 10m, 2h or 1d; else it lasts until `millrace undrain`')
    .option('--json', 'prints one JSON document');
  return addClusterOptions(command)
    .addHelpText('after', '\nIt outlives the Dispatcher. (To drain a job is another thing: `millrace stop --drain`.)')
    .action((given: string, options: DrainOptions) =>
      withCluster(context, options, async (client) => {
        const { values, problems } = parseOptions(durations, { for: options.for });
        const [problem] = problems;
        if (problem !== undefined) throw cliErrors.create('MR-CLI-USAGE', { problem: problem.message });
        const { drainTaskManager } = await import('../client/cluster-task-managers.ts');
        const id = await drainTaskManager(client, given, options.reason ?? null, values.for);
        await tellMark(context, id, true, options.json === true);
      }),
    );
}

export function undrainCommand(context: CommandContext): Command {
  const command = new Command('undrain')
    .description('lets a TaskManager that was drained have tasks again')
    .argument('<taskmanager>', 'id of a TaskManager, or how it begins')
    .option('--json', 'prints one JSON document');
  return addClusterOptions(command).action((given: string, options: DrainOptions) =>
    withCluster(context, options, async (client) => {
      const { undrainTaskManager } = await import('../client/cluster-task-managers.ts');
      await tellMark(context, await undrainTaskManager(client, given), false, options.json === true);
    }),
  );
}

function tellMark(context: CommandContext, id: string, isDrained: boolean, asJson: boolean): Promise<void> {
  if (asJson) return printJson(context, { taskManager: id, drained: isDrained });
  return printResult(context, isDrained ? `${id} gets no more tasks` : `${id} may have tasks again`);
}
