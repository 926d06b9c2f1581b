/** Job files that are programs: modules of the TypeScript API. */
import { relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { jobOfModule } from '../api/index.ts';
import type { FoundJob } from '../api/index.ts';
import { isMillraceError, messageOf } from '../core/index.ts';
import type { CommandContext } from './command-context.ts';
import { cliErrors } from './errors.ts';
import { displayName, readJobFile, variablesOf } from './job-file.ts';
import type { JobFileOptions } from './job-file.ts';

export interface JobModule extends FoundJob {
  /** The `file:` URL that every slot imports. */
  readonly url: string;
  /** The text of the file. */
  readonly source: string;
}

/** What a job module exports. */
export const JOB_EXPORT = 'default';

export function isJobModule(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path);
}

/** Imports a module and takes its job; rejects with MR-CLI-JOB-MODULE where the module does not work. */
export async function openJobModule(
  context: CommandContext,
  path: string,
  request: JobFileOptions,
): Promise<JobModule> {
  const source = await readJobFile(context, path);
  const url = pathToFileURL(resolve(path)).href;
  const module = displayName(path);
  try {
    const namespace = await context.importModule(url);
    const lookUp = variablesOf(context, request);
    return { ...(await jobOfModule({ module, name: JOB_EXPORT, namespace }, lookUp)), url, source };
  } catch (error) {
    throw cliErrors.create('MR-CLI-JOB-MODULE', { path: module, reason: describeFailure(error, url, module) }, error);
  }
}

/** What happened, and in which line of which file, where that is a file of the user. */
export function describeFailure(error: unknown, url: string, shown: string): string {
  const isNamed = error instanceof Error && error.name !== 'Error' && !isMillraceError(error);
  const code = isMillraceError(error) ? ` [${error.code}]` : '';
  const what = `${isNamed ? `${error.name}: ` : ''}${messageOf(error)}${code}`;
  const stack = typeof error === 'object' && error !== null && 'stack' in error ? String(error.stack) : '';
  const place = placeOf(stack, url, shown);
  return place === null || what.includes(place) ? what : `${place}: ${what}`;
}

/** Syntax errors begin with their place; others have it in the first line of the stack that is of the user. */
const SYNTAX_PLACE = /^(file:\S+|\/\S+):(\d+)$/;
const CALL_PLACE = /[(\s](file:[^()\s]+|\/[^()\s]+):(\d+):(\d+)\)?$/;
const OWN_FOLDER = new URL('..', import.meta.url).href;

function placeOf(stack: string, url: string, shown: string): string | null {
  for (const [index, line] of stack.split('\n').entries()) {
    const match = index === 0 ? SYNTAX_PLACE.exec(line) : /^\s+at /.test(line) ? CALL_PLACE.exec(line) : null;
    const file = match?.[1];
    if (match === null || file === undefined) continue;
    const fileUrl = file.startsWith('file:') ? file : pathToFileURL(file).href;
    if (fileUrl.startsWith(OWN_FOLDER) || fileUrl.includes('/node_modules/')) continue;
    const place = match.slice(2).join(':');
    return `${fileUrl === url ? shown : relative('.', fileURLToPath(fileUrl))}:${place}`;
  }
  return null;
}
