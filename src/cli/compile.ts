/** Job files become job graphs: room `graph` with the connectors of this build. */
import { compileJob, type CompiledJob } from '../graph/index.ts';
import { catalog } from './catalog.ts';
import { tell, type CommandContext } from './command-context.ts';
import { exitCodes } from './exit-codes.ts';
import { displayName, readJobFile, variablesOf, type JobFileOptions } from './job-file.ts';
import { describeProblem, styleFor } from './problem-report.ts';

export interface CompileRequest extends JobFileOptions {
  readonly parallelism?: number;
}

export interface CompiledFile {
  /** For messages. */
  readonly fileName: string;
  readonly text: string;
  readonly compiled: CompiledJob;
}

/** Reads and compiles a job file. What is wrong with it is in the result; rejects only where it cannot be read. */
export async function compileFile(
  context: CommandContext,
  path: string,
  request: CompileRequest,
): Promise<CompiledFile> {
  const text = await readJobFile(context, path);
  return { fileName: displayName(path), text, compiled: await compileText(context, text, displayName(path), request) };
}

export function compileText(
  context: CommandContext,
  text: string,
  fileName: string,
  request: CompileRequest,
): Promise<CompiledJob> {
  const variables = variablesOf(context, request);
  return compileJob(text, { fileName, variables, catalog, parallelism: request.parallelism ?? null });
}

/** Tells all that is wrong with a job file that was to be used, and returns the exit code for it. */
export function refuse(context: CommandContext, { compiled, text }: CompiledFile): number {
  const style = styleFor(context.environment.errors, context.environment.variables);
  const { problems } = compiled;
  for (const problem of problems) tell(context, describeProblem(problem, text, style));
  tell(context, `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}: the job file cannot be used`);
  return exitCodes.usage;
}
