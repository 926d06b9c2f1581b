import { shorten } from './map-reader.ts';
import type { ProblemList } from './problem.ts';
import type { TextRange } from './source-text.ts';

/** Ids made from it (`route.big`, `totals.project`) cannot clash with it. */
export const STEP_ID = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** Whether a name that a step gives to a stream of its own is one; else says why not. */
export function isBranchName(name: string, range: TextRange, problems: ProblemList): boolean {
  if (STEP_ID.test(name)) return true;
  const problem = 'it is the id of a step: letters, digits, `_` and `-`';
  problems.add('MR-JOB-BAD-NAME', range, { what: 'the branch', name: shorten(name), problem });
  return false;
}
