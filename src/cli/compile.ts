/** Job files become job graphs: room `graph` with the connectors of this build. */
import { compileJob, renderJobFile, type CompiledJob, type JobProblem } from '../graph/index.ts';
import { catalog } from './catalog.ts';
import { checkStatedTypes } from './check-stated-types.ts';
import { tell, type CommandContext } from './command-context.ts';
import { exitCodes } from './exit-codes.ts';
import { codeFinder } from './find-code.ts';
import { displayName, readJobFile, variablesOf, type JobFileOptions } from './job-file.ts';
import { isJobModule, JOB_EXPORT, openJobModule, type JobModule } from './job-module.ts';
import { describeProblem, styleFor } from './problem-report.ts';
import { relocateProblems } from './relocate-problems.ts';

export interface CompileRequest extends JobFileOptions {
  readonly parallelism?: number;
}

export interface CompiledFile {
  /** For messages. */
  readonly fileName: string;
  readonly text: string;
  readonly compiled: CompiledJob;
  /** What a module exports; null for a job file. */
  readonly module: JobModule | null;
}

/**
 * Reads and compiles a job file, or a module that exports a job. What is wrong with it is in the result; rejects only
 * where it cannot be read, or makes no job.
 */
export async function compileFile(
  context: CommandContext,
  path: string,
  request: CompileRequest,
): Promise<CompiledFile> {
  if (isJobModule(path)) return compileModule(context, path, request);
  const text = await readJobFile(context, path);
  const compiled = await compileText(context, text, displayName(path), request);
  return { fileName: displayName(path), text, compiled, module: null };
}

/** As compileFile, for the job that a module exports. */
async function compileModule(context: CommandContext, path: string, request: CompileRequest): Promise<CompiledFile> {
  const module = await openJobModule(context, path, request);
  const { url, source, definition, origin } = module;
  const rendered = renderJobFile(definition.document);
  const fileName = displayName(path);
  const compiled = await compileJob(rendered.text, {
    fileName,
    variables: () => undefined,
    catalog,
    parallelism: request.parallelism ?? null,
    code: { module: url, name: JOB_EXPORT, origin, roles: definition.roles },
  });
  const { logical } = compiled;
  const problems = logical === null ? compiled.problems : checkStatedTypes(definition, rendered, logical, fileName);
  if (problems.length === 0) return { fileName, text: source, compiled, module };
  const relocated = relocateProblems(problems, { definition, rendered, url, source });
  const refused = { problems: relocated, logical: null, optimised: null, jobGraph: null };
  return { fileName, text: source, compiled: refused, module };
}

export function compileText(
  context: CommandContext,
  text: string,
  fileName: string,
  request: CompileRequest,
): Promise<CompiledJob> {
  const variables = variablesOf(context, request);
  const findCode = codeFinder(context.ports, fileName);
  return compileJob(text, { fileName, variables, catalog, parallelism: request.parallelism ?? null, findCode });
}

/** The text that a problem is in; nothing of a file that a module imports. */
export function textOf({ fileName }: JobProblem, file: CompiledFile): string {
  return fileName === file.fileName ? file.text : '';
}

/** Tells all that is wrong with a job file that was to be used, and returns the exit code for it. */
export function refuse(context: CommandContext, file: CompiledFile): number {
  const style = styleFor(context.environment.errors, context.environment.variables);
  const { problems } = file.compiled;
  for (const problem of problems) tell(context, describeProblem(problem, textOf(problem, file), style));
  tell(context, `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}: the job file cannot be used`);
  return exitCodes.usage;
}
