/** A job file or module as a cluster takes it: the text of a job file, its variables, and the code of its steps. */
import { compileJob, renderJobFile } from '../../graph/index.ts';
import { catalog } from '../catalog.ts';
import type { CommandContext } from '../command-context.ts';
import type { CompiledFile } from '../compile.ts';
import { codeFinder } from '../find-code.ts';
import { displayName, readJobFile, variablesOf, type JobFileOptions } from '../job-file.ts';
import { JOB_EXPORT } from '../job-module.ts';
import { collectCode } from './collect-code.ts';
import { variablesIn, type JobSubmission } from './submit-job.ts';

export type JobToSubmit = Pick<JobSubmission, 'text' | 'variables' | 'code'>;

/** `clusterCode`: files that steps name are those of the cluster. */
export async function jobFileToSubmit(
  context: CommandContext,
  path: string,
  options: JobFileOptions & { readonly clusterCode?: true },
): Promise<JobToSubmit> {
  const text = await readJobFile(context, path);
  const valueOf = variablesOf(context, options);
  const job = { text, variables: variablesIn(text, valueOf), code: null };
  if (options.clusterCode === true || !NAMES_CODE.test(text)) return job;
  const urls = new Map<string, string>();
  const find = codeFinder(context.ports, displayName(path));
  await compileJob(text, {
    fileName: displayName(path),
    variables: valueOf,
    catalog,
    findCode: async (named) => {
      const file = await find(named);
      if (file.text !== null) urls.set(named, file.url);
      return file;
    },
  });
  // What is wrong with the file, the cluster says; what is not here, it may have.
  if (urls.size === 0) return job;
  const { bundle, fileOf } = await collectCode(context, [...new Set(urls.values())]);
  const named = Object.fromEntries([...urls].map(([name, url]) => [name, fileOf(url)]));
  return { ...job, code: { bundle, named, module: null } };
}

/** Most job files do not, and are sent at once. */
const NAMES_CODE = /\S#\S/;

/** The job that a module exports, which has been compiled: the cluster never runs the module to find it. */
export async function moduleToSubmit(
  context: CommandContext,
  { url, definition, origin }: NonNullable<CompiledFile['module']>,
): Promise<JobToSubmit> {
  const { text } = renderJobFile(definition.document);
  if (definition.roles.size === 0) return { text, variables: {}, code: null };
  const { bundle, fileOf } = await collectCode(context, [url]);
  const roles = Object.fromEntries(definition.roles);
  const module = { file: fileOf(url), name: JOB_EXPORT, origin, roles };
  return { text, variables: {}, code: { bundle, named: {}, module } };
}
