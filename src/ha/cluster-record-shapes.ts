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
  { firstAttempt: integer(0) },
);

/** What may be large of a submission. */
export const bulkShape: Shape<Pick<JobSubmission, 'graph' | 'source'>> = fields({ graph: text }, { source: text });

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
  slots: list(fields({ taskManagerId: text, slotId: text })),
});

export const drainShape: Shape<DrainMark> = fields({
  version: oneOf(1),
  taskManagerId: text,
  reason: text,
  expiresAtMs: nullable(number),
});
