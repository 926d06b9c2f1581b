import { Command } from 'commander';

import { printJson, printResult, type CommandContext } from '../command-context.ts';
import { addJobFileOptions, type JobFileOptions } from '../job-file.ts';
import { addParallelismOption } from '../parallelism-option.ts';

interface ExplainOptions extends JobFileOptions {
  readonly parallelism?: number;
  readonly json?: true;
}

export function explainCommand(context: CommandContext): Command {
  const command = new Command('explain')
    .description('shows how a job would run: its plan, its chains and what travels between them')
    .argument('<file>', 'job file, or a module (.ts, .js) that exports a job; - is standard input')
    .option('--json', 'prints the plan as one JSON document');
  addParallelismOption(command);
  return addJobFileOptions(command).action(async (path: string, options: ExplainOptions) => {
    const [{ compileFile, refuse }, { explainJob, explainJobAsText }, { catalog }] = await Promise.all([
      import('../compile.ts'),
      import('../../graph/index.ts'),
      import('../catalog.ts'),
    ]);
    const file = await compileFile(context, path, options);
    const { jobGraph } = file.compiled;
    if (jobGraph === null) context.exitCode = refuse(context, file);
    else if (options.json === true) await printJson(context, explainJob(jobGraph, catalog));
    else await printResult(context, explainJobAsText(jobGraph, catalog));
  });
}
