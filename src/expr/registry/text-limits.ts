/** Functions that make text longer are bounded: a record must not be able to fill the memory. */
import { exprErrors } from '../errors.ts';

/** In UTF-16 units. */
export const MAX_TEXT_LENGTH = 16_777_216;

export function checkTextLength(length: number, name: string): void {
  if (length <= MAX_TEXT_LENGTH) return;
  throw exprErrors.create('MR-EXPR-TOO-LARGE', { function: name, length, limit: MAX_TEXT_LENGTH });
}
