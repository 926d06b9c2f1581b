/** Equality and order of two operands that are not NULL, as expressions; used by =, <, IN, NULLIF and others. */
import { code } from '../../../core/index.ts';
import type { Code } from '../../../core/index.ts';
import { compareStrings } from '../../registry/compare-values.ts';
import { asDecimal } from '../../types/decimal-types.ts';
import type { ExpressionEmitter } from '../expression-emitter.ts';
import { valueOf } from '../operand.ts';
import type { Operand } from '../operand.ts';
import { bytesEqual, compareSlices } from '../runtime/bytes.ts';

/** True where the two are equal (NaN never is); null where only the interpreter can tell. */
export function equalityCode(emitter: ExpressionEmitter, a: Operand, b: Operand): Code | null {
  switch (a.type.kind) {
    case 'string':
    case 'bytes': {
      if (isText(a) && isText(b)) return code`${emitter.text(a)} === ${emitter.text(b)}`;
      const [x, y] = [emitter.slice(a), emitter.slice(b)];
      const equal = emitter.builder.constant(bytesEqual);
      return code`${equal}(${x.data}, ${x.start}, ${x.end}, ${y.data}, ${y.start}, ${y.end})`;
    }
    case 'json':
    case 'array':
    case 'map':
    case 'row':
      return null;
    default: {
      const pair = scaled(emitter, a, b);
      return pair === null ? null : code`${pair[0]} === ${pair[1]}`;
    }
  }
}

export type Order = 'lt' | 'le' | 'gt' | 'ge';

const relation: Readonly<Record<Order, (a: Code, b: Code) => Code>> = {
  lt: (a, b) => code`${a} < ${b}`,
  le: (a, b) => code`${a} <= ${b}`,
  gt: (a, b) => code`${a} > ${b}`,
  ge: (a, b) => code`${a} >= ${b}`,
};

/** True where a stands in the order to b; null where only the interpreter can tell. */
export function orderCode(emitter: ExpressionEmitter, order: Order, a: Operand, b: Operand): Code | null {
  switch (a.type.kind) {
    case 'string':
    case 'bytes': {
      const zero = code`0`;
      if (isText(a) && isText(b)) {
        return relation[order](
          code`${emitter.builder.constant(compareStrings)}(${emitter.text(a)}, ${emitter.text(b)})`,
          zero,
        );
      }
      const [x, y] = [emitter.slice(a), emitter.slice(b)];
      const compare = emitter.builder.constant(compareSlices);
      return relation[order](code`${compare}(${x.data}, ${x.start}, ${x.end}, ${y.data}, ${y.start}, ${y.end})`, zero);
    }
    case 'boolean':
      return booleanOrder(order, valueOf(a), valueOf(b));
    case 'json':
    case 'array':
    case 'map':
    case 'row':
      return null;
    default: {
      const pair = scaled(emitter, a, b);
      return pair === null ? null : relation[order](pair[0], pair[1]);
    }
  }
}

/** FALSE before TRUE. */
function booleanOrder(order: Order, a: Code, b: Code): Code {
  switch (order) {
    case 'lt':
      return code`!${a} && ${b}`;
    case 'le':
      return code`!${a} || ${b}`;
    case 'gt':
      return code`${a} && !${b}`;
    case 'ge':
      return code`${a} || !${b}`;
  }
}

/** Strings that are better compared as JavaScript strings: none is a slice of data, and one has no bytes yet. */
function isText(of: Operand): boolean {
  return of.type.kind === 'string' && (of.value !== null || of.constant !== null);
}

/** 10^22 is the largest power of ten that a double holds exactly. */
const MAX_EXACT_POWER = 22;

/**
 * Both in one scale. In narrow code the product with the power of ten may be inexact, but only where it is beyond all
 * safe integers, and then it compares with the other side as the exact one would.
 */
function scaled(emitter: ExpressionEmitter, a: Operand, b: Operand): readonly [Code, Code] | null {
  const [x, y] = [valueOf(a), valueOf(b)];
  if (a.type.kind !== 'decimal') return [x, y];
  const difference = asDecimal(a.type).scale - asDecimal(b.type).scale;
  if (difference === 0) return [x, y];
  const size = Math.abs(difference);
  if (emitter.mode === 'narrow' && size > MAX_EXACT_POWER) return null;
  const unit = emitter.mode === 'narrow' ? code`${10 ** size}` : emitter.builder.constant(10n ** BigInt(size));
  return difference < 0 ? [code`${x} * ${unit}`, y] : [x, code`${y} * ${unit}`];
}
