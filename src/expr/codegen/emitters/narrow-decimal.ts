/** Unscaled decimals as safe integers: rescaling and the checks that keep them exact. */
import { code, emptyCode } from '../../../core/index.ts';
import type { Code, DataType } from '../../../core/index.ts';
import type { ExpressionEmitter } from '../expression-emitter.ts';
import { MAX_SAFE } from '../operand.ts';
import { divideRoundedSafe } from '../runtime/numbers.ts';

type DecimalType = Extract<DataType, { kind: 'decimal' }>;

/** A number in the making, and the largest magnitude that it can have. */
export interface Bounded {
  readonly value: Code;
  readonly bound: number;
}

/** An expression of integers, bound to a local and known to be exact: needWide where it may not be. */
export function exact(emitter: ExpressionEmitter, expression: Code, bound: number): Bounded {
  const value = emitter.bind(expression);
  if (bound <= MAX_SAFE) return { value, bound };
  emitter.checkSafe(value);
  return { value, bound: MAX_SAFE };
}

/** `value` × 10^(to − from), rounded half up where digits go away; null where the factor itself is not exact. */
export function rescaleNarrow(emitter: ExpressionEmitter, of: Bounded, from: number, to: number): Bounded | null {
  if (from === to) return of;
  if (Math.abs(to - from) > 15) return null;
  const unit = 10 ** Math.abs(to - from);
  if (to > from) return exact(emitter, code`${of.value} * ${unit}`, of.bound * unit);
  const divide = emitter.builder.constant(divideRoundedSafe);
  return { value: emitter.bind(code`${divide}(${of.value}, ${unit})`), bound: Math.ceil(of.bound / unit) };
}

/** The statement that ends the row where the value has more digits than the type; `fail` says how. */
export function precisionCheck(of: Bounded, type: DecimalType, fail: () => Code): Code {
  if (type.precision > 15) return emptyCode;
  const limit = 10 ** type.precision - 1;
  if (of.bound <= limit) return emptyCode;
  return code`if (${of.value} > ${limit} || ${of.value} < ${-limit}) {\n${fail()}\n}`;
}
