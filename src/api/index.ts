/** The TypeScript API: a job as typed code. See README.md. */
export { job } from './job.ts';
export type { Job } from './job.ts';
export { Stream } from './stream.ts';
export type { KeyedStream } from './keyed-stream.ts';
export type { WindowedStream } from './windowed-stream.ts';
export {
  array,
  boolean,
  bytes,
  date,
  decimal,
  double,
  float,
  int,
  json,
  long,
  map,
  row,
  string,
  time,
  timestamp,
} from './field-types.ts';
export type { EmittedRow, FieldType, Longs, RowOf, Schema } from './field-types.ts';
export { typed } from './expressions.ts';
export type { Expressions, TypedExpression } from './expressions.ts';
export type { BuiltJob, JobDefinition } from './job-definition.ts';
export type { JobEnvironment } from './job-environment.ts';
export { codeOfJobStep, jobOfModule } from './job-module.ts';
export type { FoundJob, JobExport } from './job-module.ts';
export { apiErrors } from './errors.ts';
