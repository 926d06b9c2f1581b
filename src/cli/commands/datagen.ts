import { Command, InvalidArgumentError } from 'commander';

import { tell, type CommandContext } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CompiledFile } from '../compile.ts';
import type { GeneratorFlags } from '../generator-job.ts';
import { addJobFileOptions, type JobFileOptions } from '../job-file.ts';
import { noDisplay } from '../progress/display.ts';
import { describeError } from '../report-error.ts';

/** Stands where a file's name does in messages about flags. */
const FLAGS = '(flags)';

type DatagenOptions = GeneratorFlags & JobFileOptions & { readonly step?: string };

export function datagenCommand(context: CommandContext): Command {
  const command = new Command('datagen')
    .description('prints the rows of a generator as JSON lines')
    .argument('[file]', 'job file with a source datagen or nexmark; without one, say with flags what to make')
    .option('--step <id>', 'which source of the job file, where it has several generators')
    .option('--field <NAME=type>', 'a field of the rows (repeatable)', collectField, [])
    .option('--nexmark <kind>', 'the events of the Nexmark benchmark: bid, auction, person or all')
    .option('-n, --rows <N>', 'ends after N rows', wholeNumber)
    .option('--rate <N>', 'makes N rows a second', positiveNumber)
    .option('--seed <N>', 'other rows for another seed', wholeNumber)
    .addHelpText('after', "\nmillrace datagen -n 3 --field id=long --field name=string --field 'price=decimal(10,2)'");
  return addJobFileOptions(command).action(async (path: string | undefined, options: DatagenOptions) => {
    context.exitCode = await generate(context, path, options);
  });
}

async function generate(context: CommandContext, path: string | undefined, options: DatagenOptions): Promise<number> {
  const [{ compileFile, refuse }, { generatorGraph }] = await Promise.all([
    import('../compile.ts'),
    import('../generator-job.ts'),
  ]);
  const file = path === undefined ? await compileFlags(context, options) : await compileFile(context, path, options);
  if (file.compiled.jobGraph === null) return refuse(context, file);
  const graph = generatorGraph(file.compiled, options);
  const { runJob } = await import('../run-job.ts');
  const { result } = await runJob(context, { graph, display: noDisplay, statsFile: null, recovery: null });
  if (result.error !== null) tell(context, describeError(result.error));
  if (result.state === 'FAILED') return exitCodes.failed;
  return result.state === 'CANCELED' ? exitCodes.interrupted : exitCodes.ok;
}

async function compileFlags(context: CommandContext, options: DatagenOptions): Promise<CompiledFile> {
  const [{ compileText }, { generatorJobText }] = await Promise.all([
    import('../compile.ts'),
    import('../generator-job.ts'),
  ]);
  const text = generatorJobText(options);
  return { fileName: FLAGS, text, compiled: await compileText(context, text, FLAGS, options), module: null };
}

function collectField(text: string, before: readonly string[]): readonly string[] {
  if (!/^[^=]+=./.test(text)) throw new InvalidArgumentError('Expected NAME=type, such as id=long.');
  return [...before, text];
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('Expected a whole number.');
  return value;
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}
