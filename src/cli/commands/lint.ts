import { Command } from 'commander';

import { printJson, printResult, type CommandContext } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import { addJobFileOptions, type JobFileOptions } from '../job-file.ts';
import { describeProblem, problemDocument, styleFor } from '../problem-report.ts';

interface LintOptions extends JobFileOptions {
  readonly json?: true;
}

export function lintCommand(context: CommandContext): Command {
  const command = new Command('lint')
    .description('checks job files and names every mistake with its line and column')
    .argument('<file...>', 'job files, or modules (.ts, .js) that export jobs; - is standard input')
    .option('--json', 'prints one JSON document');
  return addJobFileOptions(command).action(async (files: readonly string[], options: LintOptions) => {
    const { compileFile, textOf } = await import('../compile.ts');
    const results = [];
    for (const file of files) results.push(await compileFile(context, file, options));
    const isValid = results.every(({ compiled }) => compiled.problems.length === 0);
    context.exitCode = isValid ? exitCodes.ok : exitCodes.usage;
    if (options.json === true) {
      const documents = results.map(({ fileName, compiled }) => ({
        file: fileName,
        valid: compiled.problems.length === 0,
        problems: compiled.problems.map(problemDocument),
      }));
      await printJson(context, { valid: isValid, files: documents });
      return;
    }
    const style = styleFor(context.environment.output, context.environment.variables);
    const lines = results.flatMap((file) => {
      const { problems } = file.compiled;
      if (problems.length === 0) return [`${file.fileName}: valid`];
      return problems.map((problem) => describeProblem(problem, textOf(problem, file), style));
    });
    await printResult(context, lines.join('\n'));
  });
}
