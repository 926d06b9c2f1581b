/** A job file → a deployable plan. See README.md. */
export { compileJob, compileJobOrThrow, lintJob } from './compile-job.ts';
export type { CompiledJob, CompileOptions } from './compile-job.ts';
export type { CodeFile } from './logical/step-code.ts';
export { explainJob, explainJobAsText } from './explain/explain-job.ts';
export type { JobExplanation } from './explain/explain-job.ts';
export { jobSchema } from './schema/job-schema.ts';
export { deserialiseJobGraph, serialiseJobGraph } from './job/serialise-job-graph.ts';
export { renderJobFile } from './spec/render-job-file.ts';
export type { JobDocument, RenderedJobFile } from './spec/render-job-file.ts';
export { parseJobFile } from './spec/parse-job-file.ts';
export type { ParsedJobFile, ParseJobFileOptions } from './spec/parse-job-file.ts';
export { formatProblem } from './spec/problem.ts';
export { readSettings } from './spec/read-settings.ts';
export type { Setting } from './spec/read-settings.ts';
export type { JobProblem } from './spec/problem.ts';
export type { Variables } from './spec/interpolate.ts';
export type { JobSpec, StepSpec } from './spec/job-spec.ts';
export { supportedVerbs, verbNames, verbs } from './spec/verbs.ts';
export type { Verb, VerbRow } from './spec/verbs.ts';
export type { LogicalEdge, LogicalGraph, LogicalNode, RowStream } from './logical/logical-graph.ts';
export { graphErrors } from './errors.ts';
export {
  checkpointOptions,
  jobFileLimits,
  jobOptions,
  rescaleOptions,
  restartOptions,
  s3Options,
  stateOptions,
} from './options.ts';
export type { JobFileLimits } from './options.ts';
export {
  dedupeOptions,
  joinOptions,
  processOptions,
  lookupCacheOptions,
  lookupOptions,
  lookupRetryOptions,
  topNOptions,
  watermarkOptions,
  windowKinds,
  windowOptions,
  withinOptions,
} from './spec/step-options.ts';
export type {
  AggregateNode,
  ChainNode,
  DedupeNode,
  Exchange,
  JobEdge,
  JobGraph,
  JobVertex,
  JoinNode,
  LookupNode,
  ProcessNode,
  ProcessSide,
  ReactiveRescale,
  RestartStrategy,
  StateSettings,
  SinkNode,
  SourceNode,
  TopNNode,
  TransformNode,
  UnionNode,
  WatermarkSpec,
  WindowField,
  WindowNode,
  WindowSpec,
} from './job/job-graph.ts';
