import { shape } from '../../core/index.ts';
import type { SubmittedCode } from '../../dispatcher/index.ts';
import type { StartMode } from '../../scheduler/index.ts';
import type { ClusterClient, ClusterRequest } from './cluster-client.ts';

export interface JobSubmission {
  readonly text: string;
  /** What variables of the file stand for. */
  readonly variables: Readonly<Record<string, string>>;
  readonly start: StartMode;
  readonly allowDroppedState: boolean;
  /** That goes along; null where none does. */
  readonly code: SubmittedCode | null;
}

/** Resolves to the job's id once the cluster has it for good; sent again, it is the same job. */
export async function submitJob(client: ClusterClient, submission: JobSubmission): Promise<string> {
  const { variables, start, allowDroppedState } = submission;
  const query = variablesQuery(variables);
  query.set('jobid', client.newId());
  if (start.kind === 'fresh') query.set('fresh', 'true');
  if (start.kind === 'from') query.set('from', start.location);
  if (allowDroppedState) query.set('allowDroppedState', 'true');
  const body = bodyOf(submission);
  const { jobid } = await client.ask({ method: 'POST', path: `/jobs?${query.toString()}`, body }, submitted);
  return jobid;
}

export function variablesQuery(variables: Readonly<Record<string, string>>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(variables)) query.append('set', `${name}=${value}`);
  return query;
}

/** A job as it is sent. */
export function bodyOf({ text, code }: Pick<JobSubmission, 'text' | 'code'>): NonNullable<ClusterRequest['body']> {
  return code === null ? { mediaType: 'application/yaml', text } : withCode(text, code);
}

function withCode(job: string, { bundle, named, module }: SubmittedCode) {
  const code = { files: Object.fromEntries(bundle.files), named, ...(module === null ? {} : { module }) };
  return { mediaType: 'application/json', text: JSON.stringify({ job, code }) };
}

const submitted = shape.fields({ jobid: shape.text });

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)/g;

/**
 * The values of all names that a file may mean: the environment of the Dispatcher is another one. A name that is not in
 * it after all, in a comment or a text, does no harm.
 */
export function variablesIn(text: string, valueOf: (name: string) => string | undefined): Record<string, string> {
  const names = new Set([...text.matchAll(VARIABLE)].map(([, name]) => name ?? ''));
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const value = valueOf(name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
