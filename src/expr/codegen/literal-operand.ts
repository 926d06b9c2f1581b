/** Literals in generated code: finite numbers and booleans in the source, all else in the constants array. */
import { code, types } from '../../core/index.ts';
import type { Code, CodeBuilder, DataType, LiteralExpression } from '../../core/index.ts';
import { literalValue } from '../ir/literal.ts';
import type { Mode } from './column-access.ts';
import { MAX_SAFE, operand } from './operand.ts';
import type { Operand } from './operand.ts';

const encoder = new TextEncoder();

/** One array per literal, so that all versions of a function put the same bytes into an output. */
const encodedLiterals = new WeakMap<LiteralExpression, Uint8Array>();

function encodedLiteral(literal: LiteralExpression): Uint8Array {
  const known = encodedLiterals.get(literal);
  if (known !== undefined) return known;
  const value = literalValue(literal);
  const bytes = typeof value === 'string' ? encoder.encode(value) : (value as Uint8Array);
  encodedLiterals.set(literal, bytes);
  return bytes;
}

/** A literal, or null where narrow code cannot hold it (an integer that is not safe). */
export function literalOperand(builder: CodeBuilder, literal: LiteralExpression, mode: Mode): Operand | null {
  const { type } = literal;
  const value = literalValue(literal);
  const constant = { value };
  if (value === null) return nullOperand(builder, type, mode);
  switch (type.kind) {
    case 'boolean':
      return operand({ type, constant, value: code`${value === true}` });
    case 'int':
    case 'date':
    case 'time':
    case 'float':
    case 'double':
    case 'timestamp':
      return operand({ type, constant, value: numberCode(builder, value as number), bound: Math.abs(value as number) });
    case 'long':
    case 'decimal':
      return integerOperand(builder, type, value as bigint, mode);
    case 'string':
    case 'json':
    case 'bytes': {
      const bytes = encodedLiteral(literal);
      const data = builder.constant(bytes);
      return operand({ type, constant, slice: { data, start: code`0`, end: code`${bytes.length}` } });
    }
    case 'array':
    case 'map':
    case 'row':
      return operand({ type, constant, value: builder.constant(value) });
  }
}

function numberCode(builder: CodeBuilder, value: number): Code {
  return Number.isFinite(value) ? code`${value}` : builder.constant(value);
}

function integerOperand(builder: CodeBuilder, type: DataType, value: bigint, mode: Mode): Operand | null {
  const constant = { value };
  if (mode === 'wide') return operand({ type, constant, value: builder.constant(value) });
  const narrow = Number(value);
  if (Math.abs(narrow) > MAX_SAFE) return null;
  return operand({ type, constant, value: code`${narrow}`, bound: Math.abs(narrow) });
}

const EMPTY = new Uint8Array(0);

/** What stands in for the value where there is none. */
export function nullOperand(builder: CodeBuilder, type: DataType, mode: Mode): Operand {
  const isNull = code`true`;
  const constant = { value: null };
  if (isBytesType(type)) {
    return operand({ type, isNull, constant, slice: { data: builder.constant(EMPTY), start: code`0`, end: code`0` } });
  }
  return operand({ type, isNull, constant, value: initialValue(type, mode), bound: 0 });
}

/** The value that a local of the type has before it is assigned; for bytes, of its text form. */
export function initialValue(type: DataType, mode: Mode): Code {
  switch (type.kind) {
    case 'boolean':
      return code`false`;
    case 'long':
    case 'decimal':
      return mode === 'wide' ? code`0n` : code`0`;
    case 'string':
    case 'json':
      return code`''`;
    case 'bytes':
    case 'array':
    case 'map':
    case 'row':
      return code`null`;
    default:
      return code`0`;
  }
}

export function isBytesType(type: DataType): boolean {
  return type.kind === types.string.kind || type.kind === types.json.kind || type.kind === types.bytes.kind;
}
