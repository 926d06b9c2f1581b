/** Our answer to a case beside Flink's. */
import { formatDecimal, isMillraceError, rowSchema } from '../../core/index.ts';
import { formatDate, formatTime, formatTimestampSql } from '../cast/date-time-text.ts';
import { formatDouble, formatFloat } from '../cast/number-text.ts';
import { interpret } from '../interpret.ts';
import { parseExpression } from '../parse-expression.ts';
import { parseType } from '../types/type-grammar.ts';
import { fields } from './cases.ts';
import type { DataType, Expression, RowSchema, Value } from '../../core/index.ts';

/** As bench/flink gives it: scalars are text, arrays and rows arrays, maps arrays of pairs. */
export type FlinkValue = string | null | readonly FlinkValue[];

export type StoredAnswer =
  | { readonly expression: string; readonly sql: string; readonly type: string; readonly value: FlinkValue }
  | { readonly expression: string; readonly sql: string; readonly error: string };

export interface StoredAnswers {
  readonly flinkVersion: string;
  readonly view: string;
  readonly answers: readonly StoredAnswer[];
}

export const schema: RowSchema = rowSchema(
  fields.map(({ name, type }) => {
    const parsed = parseType(type);
    if ('problems' in parsed) throw new TypeError(`${name}: ${parsed.problems[0]?.message ?? ''}`);
    return { name, type: parsed.type };
  }),
);
const row: readonly Value[] = fields.map(({ value }) => value);

/** What both sides are brought to: one text per answer, errors all the same. */
export interface Judgement {
  readonly ours: string;
  readonly flink: string;
  readonly expression: Expression | null;
}

const FAILED = 'error';

export function judge(answer: StoredAnswer): Judgement {
  const parsed = parseExpression(answer.expression, schema);
  const expression = 'expression' in parsed ? parsed.expression : null;
  const type = expression?.type ?? null;
  const flink = 'error' in answer ? FAILED : normalize(answer.value, type);
  return { ours: expression === null ? FAILED : evaluate(expression), flink, expression };
}

function evaluate(expression: Expression): string {
  try {
    return JSON.stringify(canonical(interpret(expression, row), expression.type));
  } catch (error) {
    if (isMillraceError(error) && error.scope === 'record') return FAILED;
    throw error;
  }
}

/** Our value in the form of Flink's. Decimals without trailing zeros: scales are compared by no one. */
function canonical(value: Value, type: DataType): FlinkValue {
  if (value === null) return null;
  switch (type.kind) {
    case 'decimal':
      return plainDecimal(formatDecimal(value as bigint, type.scale));
    case 'float':
      return formatFloat(value as number);
    case 'double':
      return plainDouble(value as number);
    case 'bytes':
      return Buffer.from(value as Uint8Array).toString('hex');
    case 'date':
      return formatDate(value as number);
    case 'time':
      return formatTime(value as number);
    case 'timestamp':
      return formatTimestampSql(value as number);
    case 'array':
      return (value as readonly Value[]).map((item) => canonical(item, type.element));
    case 'row':
      return (value as readonly Value[]).map((item, index) => canonical(item, type.fields[index]?.type ?? type));
    case 'map':
      return [...(value as ReadonlyMap<Value, Value>)].map(([k, v]) => [
        canonical(k, type.key),
        canonical(v, type.value),
      ]);
    default:
      return String(value as boolean | number | bigint | string);
  }
}

function normalize(value: FlinkValue, type: DataType | null): string {
  return JSON.stringify(type === null ? value : fromFlink(value, type));
}

function fromFlink(value: FlinkValue, type: DataType): FlinkValue {
  if (value === null) return null;
  if (typeof value !== 'string') {
    if (type.kind === 'array') return value.map((item) => fromFlink(item, type.element));
    if (type.kind === 'row') return value.map((item, index) => fromFlink(item, type.fields[index]?.type ?? type));
    if (type.kind === 'map') {
      return value.map((pair) => [fromFlink(pair?.[0] ?? null, type.key), fromFlink(pair?.[1] ?? null, type.value)]);
    }
    return value;
  }
  switch (type.kind) {
    case 'decimal':
      return plainDecimal(value);
    case 'int':
    case 'long':
      return plainDecimal(value);
    case 'float':
      return formatFloat(Math.fround(Number(value)));
    case 'double':
      return plainDouble(Number(value));
    case 'timestamp':
      return timestampText(value);
    case 'time':
      return value.replace(/\.0+$/, '');
    default:
      return value;
  }
}

function plainDecimal(text: string): string {
  const plain = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return plain === '-0' ? '0' : plain;
}

/** Java's and V8's mathematical functions may differ in the last of 17 digits. */
function plainDouble(value: number): string {
  return formatDouble(Number.isFinite(value) ? Number(value.toPrecision(15)) : value);
}

/** `2024-02-29T12:34:56.789` and instants with a Z. */
function timestampText(text: string): string {
  const [date = '', time = ''] = text.replace(/Z$/, '').split('T');
  const [seconds = '', fraction = ''] = time.split('.');
  return `${date} ${seconds.length === 5 ? `${seconds}:00` : seconds}.${fraction.slice(0, 3).padEnd(3, '0')}`;
}
