import { isMillraceError, messageOf } from '../../core/index.ts';
import type { MillraceError } from '../../core/index.ts';
import { codeErrors } from './code-errors.ts';
import type { ProcessSpec } from './process-spec.ts';

/** What a method of user code has thrown, as an error of a table: with its message and the line that it came from. */
export function thrownBy(error: unknown, what: string, { stepId, code }: ProcessSpec): MillraceError {
  if (isMillraceError(error)) return error;
  const problem = messageOf(error);
  const place = placeOf(error, code.module);
  if (what === 'process()' || what === 'onTimer()') {
    return codeErrors.create('MR-CODE-THREW', { step: stepId, what, problem, place }, error);
  }
  return codeErrors.create('MR-CODE-OPEN', { step: stepId, what, problem: `${problem}${place}` }, error);
}

/** ` (at FILE:LINE:COLUMN)` of the frame of the stack that is in the user's module, or of the first one. */
function placeOf(error: unknown, module: string): string {
  const stack = typeof error === 'object' && error !== null && 'stack' in error ? String(error.stack) : '';
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  const frame = frames.find((line) => line.includes(module)) ?? frames[0];
  const place = frame?.replace(/^\s+at (?:.*\()?/, '').replace(/\)$/, '');
  return place === undefined ? '' : ` (at ${place})`;
}
