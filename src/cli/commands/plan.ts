import { Command } from 'commander';

import { printJson, printResult, type CommandContext } from '../command-context.ts';
import { ALLOW_DROPPED_STATE, DATA_FOLDER, DATA_FOLDER_OPTION } from '../data-folder.ts';
import { exitCodes } from '../exit-codes.ts';
import { addJobFileOptions, type JobFileOptions } from '../job-file.ts';
import { addParallelismOption } from '../parallelism-option.ts';

interface PlanOptions extends JobFileOptions {
  readonly parallelism?: number;
  readonly json?: true;
  readonly from?: string;
  readonly allowDroppedState?: true;
  readonly dataDir?: string;
}

export function planCommand(context: CommandContext): Command {
  const command = new Command('plan')
    .description('shows what becomes of the state of each step when a job starts from a checkpoint; starts nothing')
    .argument('<file>', 'job file, or a module (.ts, .js) that exports a job; - is standard input');
  addParallelismOption(command);
  return addJobFileOptions(command)
    .option('--from <place>', 'the checkpoint or savepoint at a path or URL, instead of the last checkpoint of the job')
    .option(...ALLOW_DROPPED_STATE)
    .option(...DATA_FOLDER_OPTION)
    .option('--json', 'prints the plan as one JSON document')
    .addHelpText('after', MORE_HELP)
    .action(async (file: string, options: PlanOptions) => {
      context.exitCode = await plan(context, file, options);
    });
}

const MORE_HELP = `
Every step is kept, migrated (its state is read with the differences that are named), new (the checkpoint has nothing of
it), dropped (the job does not have it any more) or incompatible. The files that the job needs are read and checked.

Exit codes: 0 the job can start from it, 1 it cannot, 2 the command line or the job file is wrong.`;

async function plan(context: CommandContext, path: string, options: PlanOptions): Promise<number> {
  const { compileFile, refuse } = await import('../compile.ts');
  const file = await compileFile(context, path, options);
  const graph = file.compiled.jobGraph;
  if (graph === null) return refuse(context, file);
  const { describePlan, planDocument, planFor } = await import('../restore-plan.ts');
  const { from = null, allowDroppedState = false, dataDir: dataFolder = DATA_FOLDER } = options;
  const planned = await planFor(context.ports, { graph, from, allowDroppedState, dataFolder });
  if (options.json === true) await printJson(context, planDocument(planned));
  else await printResult(context, describePlan(planned));
  return planned.obstacle === null ? exitCodes.ok : exitCodes.failed;
}
