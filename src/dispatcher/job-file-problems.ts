import type { MillraceError } from '../core/index.ts';
import type { JobProblem } from '../graph/index.ts';
import { clusterErrors } from './errors.ts';

/** Why a job file was not taken: all that is wrong with it. */
export type JobFileProblems = MillraceError & {
  readonly problems: readonly JobProblem[];
  /** The same as text, one each. */
  readonly lines: readonly string[];
};

/** `problems` in the order of the file, never empty. */
export function jobFileProblems(problems: readonly JobProblem[], lines: readonly string[]): JobFileProblems {
  const [first] = problems;
  const fields = { count: problems.length, line: first?.line ?? 0, first: first?.message ?? '' };
  return Object.assign(clusterErrors.create('MR-CLUSTER-JOB-FILE', fields), { problems, lines });
}

/** The error where it tells of problems of a job file; null where it is about something else. */
export function asJobFileProblems(error: unknown): JobFileProblems | null {
  const isOfFile = typeof error === 'object' && error !== null && 'code' in error && error.code === JOB_FILE_CODE;
  return isOfFile && 'problems' in error ? (error as JobFileProblems) : null;
}

const JOB_FILE_CODE = 'MR-CLUSTER-JOB-FILE';
