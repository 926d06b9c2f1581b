import { DEFAULT_DISK_BYTES, LEAST_SPILL_BYTES, maySpill } from '../core/index.ts';
import type { CodeReference, ConnectorCatalog, StepRole } from '../core/index.ts';
import { loadParser } from '../expr/index.ts';
import { graphErrors } from './errors.ts';
import { buildJobGraph } from './job/build-job-graph.ts';
import type { JobGraph } from './job/job-graph.ts';
import { buildLogicalGraph } from './logical/build-logical-graph.ts';
import type { LogicalGraph } from './logical/logical-graph.ts';
import { fileReference } from './logical/step-code.ts';
import type { CodeFile, CodeSource } from './logical/step-code.ts';
import { optimise } from './optimise/optimise.ts';
import { jobOptions } from './options.ts';
import type { JobSpec } from './spec/job-spec.ts';
import { createProblemList, readJobSpec } from './spec/parse-job-file.ts';
import type { ParseJobFileOptions } from './spec/parse-job-file.ts';
import { formatProblem } from './spec/problem.ts';
import type { JobProblem, ProblemList } from './spec/problem.ts';

export interface CompileOptions extends ParseJobFileOptions {
  /** The connectors and formats that the job may use. */
  readonly catalog: ConnectorCatalog;
  /** Of the command line; goes before the file's, but not before a step's own. */
  readonly parallelism?: number | null;
  /** Where the code of steps is, for a job that a module makes; a job file names it itself. */
  readonly code?: ModuleCode;
  /** The file that a `process` step names, by its path as it stands in the job file; nothing is looked up without. */
  readonly findCode?: (path: string) => Promise<CodeFile>;
}

/** The export of a module that holds the code of a job's steps. */
export interface ModuleCode extends Omit<CodeReference, 'step'> {
  /** What the code of each step is. */
  readonly roles: ReadonlyMap<string, StepRole>;
}

export type CompiledJob =
  | {
      readonly problems: readonly [];
      /** As the file says it. */
      readonly logical: LogicalGraph;
      /** After optimisation: what runs. */
      readonly optimised: LogicalGraph;
      readonly jobGraph: JobGraph;
    }
  | {
      /** Every problem, in the order of the file. Never empty. */
      readonly problems: readonly JobProblem[];
      readonly logical: null;
      readonly optimised: null;
      readonly jobGraph: null;
    };

/** A job file's text → what is deployed, or all that is wrong with it. Never throws for what a file holds. */
export async function compileJob(text: string, options: CompileOptions): Promise<CompiledJob> {
  await loadParser();
  const problems = createProblemList(text, options);
  const spec = readJobSpec(problems, options);
  const parallelism = options.parallelism ?? spec?.parallelism ?? jobOptions.parallelism.default;
  if (spec !== null && typeof options.parallelism === 'number' && parallelism > spec.maxParallelism) {
    // It stands in no line of the file.
    const fields = { given: parallelism, limit: spec.maxParallelism };
    problems.add('MR-JOB-PARALLELISM', { start: 0, end: problems.source.lineEnd(0) }, fields);
  }
  const code = await codeSource(spec, options);
  const logical = spec === null ? null : buildLogicalGraph(spec, parallelism, options.catalog, problems, code);
  if (logical === null || problems.count > 0) {
    return { problems: problems.sorted(), logical: null, optimised: null, jobGraph: null };
  }
  const optimised = optimise(logical);
  const jobGraph = buildJobGraph(optimised);
  checkMemory(jobGraph, problems);
  if (problems.count > 0) return { problems: problems.sorted(), logical: null, optimised: null, jobGraph: null };
  return { problems: [], logical, optimised, jobGraph };
}

/** A slot has one subtask of every step, and those that keep entries on the disk share its memory. */
function checkMemory({ state, vertices }: JobGraph, problems: ProblemList): void {
  if (state?.backend !== 'disk') return;
  const steps = vertices.flatMap(({ chain }) => chain).filter(maySpill).length;
  const given = state.memoryBytes ?? DEFAULT_DISK_BYTES;
  if (given >= steps * LEAST_SPILL_BYTES) return;
  const fields = { given: mebibytes(given), steps, least: mebibytes(steps * LEAST_SPILL_BYTES) };
  problems.add('MR-JOB-STATE-MEMORY', { start: 0, end: problems.source.lineEnd(0) }, fields);
}

function mebibytes(bytes: number): string {
  return `${Math.floor((bytes / 1024 / 1024) * 10) / 10} MiB`;
}

/** Looks at the files that the steps of a job file name. */
async function codeSource(spec: JobSpec | null, { code, findCode }: CompileOptions): Promise<CodeSource> {
  if (code !== undefined) {
    const { roles, ...reference } = code;
    const ofStep: CodeSource['ofStep'] = (step) => {
      const role = roles.get(step);
      return role === undefined || role === 'lookup' ? null : { reference: { ...reference, step }, role };
    };
    const ofLookup: CodeSource['ofLookup'] = (step) =>
      roles.get(step) === 'lookup' ? { ...reference, step } : null;
    return { ofStep, ofLookup, files: new Map() };
  }
  const files = new Map<string, CodeFile>();
  for (const step of spec?.steps ?? []) {
    const named = step.kind === 'process' ? step.code : step.kind === 'lookup' ? step.connector : null;
    const path = named === null ? undefined : fileReference(named.text)?.path;
    if (path !== undefined && findCode !== undefined) files.set(path, await findCode(path));
  }
  return { ofStep: () => null, ofLookup: () => null, files };
}

/** All problems of a job file; none where it can run. */
export async function lintJob(text: string, options: CompileOptions): Promise<readonly JobProblem[]> {
  return (await compileJob(text, options)).problems;
}

/** The job graph, or MR-JOB-INVALID with every problem in its message. */
export async function compileJobOrThrow(text: string, options: CompileOptions): Promise<JobGraph> {
  const { jobGraph, problems } = await compileJob(text, options);
  if (jobGraph !== null) return jobGraph;
  const first = problems[0] === undefined ? '' : formatProblem(problems[0]);
  throw graphErrors.create('MR-JOB-INVALID', { file: options.fileName, count: problems.length, first });
}
