import type { MillraceError } from '../../core/index.ts';
import type { JobProblem } from '../../graph/index.ts';

/** What a cluster says of one mistake in a file whose name it does not know. */
export type FileProblem = Omit<JobProblem, 'fileName'>;

type RefusedJobFile = MillraceError & { readonly fileProblems: readonly FileProblem[] };

/** The error with all that is wrong with the file. */
export function refusedJobFile(error: MillraceError, fileProblems: readonly FileProblem[]): RefusedJobFile {
  return Object.assign(error, { fileProblems });
}

/** What is wrong with the job file that was sent; null where an error is about something else. */
export function problemsIn(error: unknown, fileName: string): readonly JobProblem[] | null {
  if (typeof error !== 'object' || error === null || !('fileProblems' in error)) return null;
  return (error as RefusedJobFile).fileProblems.map((problem) => ({ ...problem, fileName }));
}
