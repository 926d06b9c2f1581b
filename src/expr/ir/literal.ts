/**
 * The value of a literal expression and back. Bigints are decimal strings and bytes hexadecimal digits, because
 * expressions travel as JSON; JSON has no NaN, Infinity or -0 either, so those doubles are strings too.
 */
import { exprErrors } from '../errors.ts';
import type { DataType, LiteralExpression, LiteralValue, Value } from '../../core/index.ts';

/** The value of a literal in the form of core/value.ts. */
export function literalValue(literal: LiteralExpression): Value {
  return decodeLiteral(literal.value, literal.type);
}

function decodeLiteral(value: LiteralValue, type: DataType): Value {
  if (value === null) return null;
  switch (type.kind) {
    case 'long':
    case 'decimal':
      if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value);
      break;
    case 'float':
    case 'double':
      if (typeof value === 'number') return value;
      if (typeof value === 'string' && /^(-?0|NaN|-?Infinity)$/.test(value)) return Number(value);
      break;
    case 'int':
    case 'date':
    case 'time':
    case 'timestamp':
      if (typeof value === 'number') return value;
      break;
    case 'boolean':
      if (typeof value === 'boolean') return value;
      break;
    case 'string':
    case 'json':
      if (typeof value === 'string') return value;
      break;
    case 'bytes':
      if (typeof value === 'string') return new Uint8Array(Buffer.from(value, 'hex'));
      break;
    case 'array':
      if (Array.isArray(value)) return value.map((item: LiteralValue) => decodeLiteral(item, type.element));
      break;
    case 'row':
      if (Array.isArray(value)) {
        return type.fields.map((field, index) => decodeLiteral((value[index] as LiteralValue) ?? null, field.type));
      }
      break;
    case 'map':
      break;
  }
  throw exprErrors.create('MR-EXPR-MALFORMED', { problem: `a literal of type ${type.kind} has the wrong form` });
}

/** The literal of a value, or null where there is none (maps). */
export function literalOf(value: Value, type: DataType): LiteralExpression | null {
  const encoded = encodeLiteral(value, type);
  return encoded === undefined ? null : { kind: 'literal', type, value: encoded };
}

function encodeLiteral(value: Value, type: DataType): LiteralValue | undefined {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') {
    if (Object.is(value, -0)) return '-0';
    return Number.isFinite(value) ? value : String(value);
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return undefined;
  const items = (value as readonly Value[]).map((item, index) => encodeLiteral(item, partType(type, index)));
  return items.includes(undefined) ? undefined : (items as LiteralValue[]);
}

function partType(type: DataType, index: number): DataType {
  if (type.kind === 'array') return type.element;
  if (type.kind === 'row') return type.fields[index]?.type ?? type;
  return type;
}
