/**
 * A value in generated code: where it is and in which form. All parts are names of locals or small literals, so that
 * using one twice costs nothing.
 */
import type { Code, DataType, Value } from '../../core/index.ts';

/** UTF-8 or raw bytes `data[start .. end)`. */
export interface Slice {
  readonly data: Code;
  readonly start: Code;
  readonly end: Code;
}

/**
 * The forms of `value`:
 *
 * | type | value |
 * |---|---|
 * | boolean | JavaScript boolean |
 * | int, date, time, float, double, timestamp | number; never -0 for the integer types |
 * | long, decimal | narrow mode: number, a safe integer, never -0; wide mode: bigint |
 * | string, json | JavaScript string, where `slice` is null |
 * | bytes | Uint8Array, where `slice` is null |
 * | array, map, row | as in core/value.ts |
 *
 * Values of strings, json and bytes come either as `slice` or as `value`; ExpressionEmitter converts.
 */
export interface Operand {
  readonly type: DataType;
  /** True where NULL, and then all else is garbage of the right type; null where it never is. */
  readonly isNull: Code | null;
  readonly value: Code | null;
  readonly slice: Slice | null;
  /** Known before the loop: a literal. */
  readonly constant: { readonly value: Value } | null;
  /** No value is larger in magnitude; for int, long and decimal (unscaled) in narrow mode. Spares range checks. */
  readonly bound: number;
}

export const MAX_SAFE = Number.MAX_SAFE_INTEGER;

/** The largest magnitude that a narrow value of the type can have. */
function typeBound(type: DataType): number {
  switch (type.kind) {
    case 'int':
    case 'date':
    case 'time':
      return 2 ** 31;
    case 'decimal':
      return type.precision > 15 ? MAX_SAFE : 10 ** type.precision - 1;
    default:
      return MAX_SAFE;
  }
}

export interface OperandParts {
  readonly type: DataType;
  readonly isNull?: Code | null;
  readonly value?: Code | null;
  readonly slice?: Slice | null;
  readonly constant?: { readonly value: Value } | null;
  readonly bound?: number;
}

export function operand(parts: OperandParts): Operand {
  return {
    type: parts.type,
    isNull: parts.isNull ?? null,
    value: parts.value ?? null,
    slice: parts.slice ?? null,
    constant: parts.constant ?? null,
    bound: Math.min(parts.bound ?? MAX_SAFE, typeBound(parts.type)),
  };
}

/** The value of an operand whose type is never a slice. */
export function valueOf(of: Operand): Code {
  if (of.value === null) throw new TypeError(`a ${of.type.kind} stands here as bytes, not as a value`);
  return of.value;
}
