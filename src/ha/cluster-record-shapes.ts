import { shape, type Shape } from '../core/index.ts';
import type { DrainMark, ExecutionPlan, JobOutcome, JobSubmission } from './cluster-records.ts';

const { fields, flag, integer, list, nullable, number, oneOf, text } = shape;

/** A submission without what may be large. */
export interface StoredSubmission extends Omit<JobSubmission, 'graph' | 'source'> {
  /** A `Bulk` as JSON; null where it is in parts. */
  readonly bulk: string | null;
  readonly bulkBytes: number;
  readonly bulkParts: number;
  /** Below which the parts are; of this writing alone. */
  readonly revision: number;
}

export const submissionShape: Shape<StoredSubmission> = fields(
  {
    version: oneOf(1),
    jobId: text,
    jobName: text,
    start: text,
    allowDroppedState: flag,
    submittedAtMs: number,
    bulk: nullable(text),
    bulkBytes: integer(0),
    bulkParts: integer(0),
    revision: integer(0),
  },
  { firstAttempt: integer(0), restartedAtMs: number, isCancelled: flag },
);

/** What may be large of a submission. */
export const bulkShape: Shape<Pick<JobSubmission, 'graph' | 'source'>> = fields({ graph: text }, { source: text });

/** Where code is in parts below its key. */
export interface StoredCode {
  readonly version: 1;
  readonly hash: string;
  readonly sizeBytes: number;
  readonly parts: number;
}

export const codeShape: Shape<StoredCode> = fields({
  version: oneOf(1),
  hash: text,
  sizeBytes: integer(0),
  parts: integer(0),
});

export const outcomeShape: Shape<JobOutcome> = fields({
  version: oneOf(1),
  state: oneOf('FINISHED', 'FAILED', 'CANCELED'),
  error: nullable(text),
  startedAtMs: number,
  endedAtMs: number,
});

export const planShape: Shape<ExecutionPlan> = fields({
  version: oneOf(1),
  jobId: text,
  attempt: integer(0),
  slots: list(fields({ taskManagerId: text, slotId: text }, { attempt: integer(0) })),
});

export const drainShape: Shape<DrainMark> = fields({
  version: oneOf(1),
  taskManagerId: text,
  reason: text,
  expiresAtMs: nullable(number),
});
