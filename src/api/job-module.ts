/** Modules that export a job: how the job is got out of them, and found again on the thread of every slot. */
import { createHash } from 'node:crypto';

import type { CodeReference, JobOrigin } from '../core/index.ts';
import { apiErrors } from './errors.ts';
import { JOB_MARK } from './job-definition.ts';
import type { BuiltJob, JobDefinition, StepCode } from './job-definition.ts';
import { RecordingEnvironment } from './job-environment.ts';
import type { JobEnvironment } from './job-environment.ts';
import { GroupedStream } from './grouped-stream.ts';

/** What a job module exports. */
export type JobExport = BuiltJob | ((env: JobEnvironment) => BuiltJob | Promise<BuiltJob>);

export interface FoundJob {
  readonly job: BuiltJob;
  readonly definition: JobDefinition;
  /** What tells every other import of the module which job is meant. */
  readonly origin: JobOrigin;
}

/** An export of an imported module. */
export interface ModuleExport {
  /** The module's name in messages. */
  readonly module: string;
  readonly name: string;
  /** What import() gave. */
  readonly namespace: unknown;
}

/** The job that a module exports; a function is called with the variables that `lookUp` knows. */
export async function jobOfModule(
  { module, name, namespace }: ModuleExport,
  lookUp: (name: string) => string | undefined,
): Promise<FoundJob> {
  const exports = namespace as Readonly<Record<string, unknown>>;
  const environment = new RecordingEnvironment(lookUp);
  const exported = Object.hasOwn(exports, name) ? exports[name] : undefined;
  const made: unknown = isFunction(exported) ? await exported(environment) : await exported;
  environment.close();
  if (!isJob(made)) {
    const what = isFunction(exported) ? `a function that returns ${describe(made)}` : describe(made);
    throw apiErrors.create('MR-API-NOT-A-JOB', { module, name, what });
  }
  const definition = made.definition();
  const origin = { fingerprint: fingerprintOf(definition), variables: environment.variables };
  return { job: made, definition, origin };
}

/** The code of a step of a job that another thread or process has submitted. */
export async function codeOfJobStep(namespace: unknown, reference: CodeReference): Promise<StepCode> {
  const { module, name, step, origin } = reference;
  const given = new Map(Object.entries(origin?.variables ?? {}));
  const found = await jobOfModule({ module, name, namespace }, (variable) => given.get(variable));
  if (origin !== undefined && origin.fingerprint !== found.origin.fingerprint) {
    throw apiErrors.create('MR-API-DIFFERENT-JOB', { module });
  }
  const code = found.job.codeOf(step ?? '');
  if (code === undefined) throw apiErrors.create('MR-API-NO-CODE', { module, step: step ?? 'without a name' });
  return code;
}

/** Equal for jobs of the same steps and settings; code itself is not looked at. */
function fingerprintOf({ document, roles }: JobDefinition): string {
  return createHash('sha256').update(JSON.stringify([document, [...roles]])).digest('hex');
}

function isFunction(value: unknown): value is (env: JobEnvironment) => unknown {
  return typeof value === 'function';
}

/** Of whatever copy of the package. */
function isJob(value: unknown): value is BuiltJob {
  return typeof value === 'object' && value !== null && JOB_MARK in value;
}

function describe(value: unknown): string {
  if (value === undefined) return 'not there';
  if (value === null) return 'null';
  if (value instanceof GroupedStream) return 'a stream (its `.job`, or what sink() returns, is the job)';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
