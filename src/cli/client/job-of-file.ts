import { printJson, tell, type CommandContext } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import { displayName, type JobFileOptions } from '../job-file.ts';
import { describeProblem, problemDocument, styleFor } from '../problem-report.ts';
import type { JobToSubmit } from './job-to-submit.ts';

/** What a cluster is sent of a job file or module; the exit code where there is something wrong with a module. */
export async function jobOfFile(
  context: CommandContext,
  path: string,
  options: JobFileOptions & { readonly clusterCode?: true },
): Promise<JobToSubmit | number> {
  // Most jobs need none of what this loads.
  const { jobFileToSubmit, moduleToSubmit } = await import('./job-to-submit.ts');
  if (!/\.[cm]?[jt]s$/.test(path)) return jobFileToSubmit(context, path, options);
  const { compileFile, refuse } = await import('../compile.ts');
  const file = await compileFile(context, path, options);
  if (file.module === null || file.compiled.jobGraph === null) return refuse(context, file);
  return moduleToSubmit(context, file.module);
}

/** Shows what a cluster has found wrong with a file, as lint would; throws errors about anything else. */
export async function tellRefusal(
  context: CommandContext,
  { path, text, isJson }: { readonly path: string; readonly text: string; readonly isJson: boolean },
  error: unknown,
): Promise<number> {
  const { problemsIn } = await import('./refused-job-file.ts');
  const problems = problemsIn(error, displayName(path));
  if (problems === null) throw error;
  const style = styleFor(context.environment.errors, context.environment.variables);
  for (const problem of problems) tell(context, describeProblem(problem, text, style));
  if (isJson) await printJson(context, { jobId: null, problems: problems.map(problemDocument) });
  return exitCodes.usage;
}
