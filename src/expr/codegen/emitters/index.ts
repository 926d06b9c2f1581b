/** The overloads that have generated code of their own; all others call the interpreter's function. */
import type { CallEmitter } from '../call-site.ts';
import { arithmeticEmitters } from './arithmetic.ts';
import { comparisonEmitters } from './comparison.ts';
import { likeEmitters } from './like.ts';
import { mathEmitters } from './math.ts';
import { stringEmitters } from './strings.ts';
import { timeEmitters } from './time.ts';

export const callEmitters: ReadonlyMap<string, CallEmitter> = new Map([
  ...arithmeticEmitters,
  ...comparisonEmitters,
  ...likeEmitters,
  ...mathEmitters,
  ...stringEmitters,
  ...timeEmitters,
]);
