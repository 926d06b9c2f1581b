/** Range checks of int and long results. */
import { MAX_INT, MIN_INT } from '../../core/index.ts';
import { exprErrors } from '../errors.ts';

export function checkInt(value: number, operation: string): number {
  if (value >= MIN_INT && value <= MAX_INT) return value;
  throw exprErrors.create('MR-EXPR-OVERFLOW', { operation, type: 'int' });
}

export function checkLong(value: bigint, operation: string): bigint {
  if (BigInt.asIntN(64, value) === value) return value;
  throw exprErrors.create('MR-EXPR-OVERFLOW', { operation, type: 'long' });
}
