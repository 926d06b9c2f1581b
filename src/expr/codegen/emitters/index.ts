/** The overloads that have generated code of their own; all others call the interpreter's function. */
import type { CallEmitter } from '../emit-call.ts';
import { arithmeticEmitters } from './arithmetic.ts';
import { comparisonEmitters } from './comparison.ts';

export const callEmitters: ReadonlyMap<string, CallEmitter> = new Map([...arithmeticEmitters, ...comparisonEmitters]);
