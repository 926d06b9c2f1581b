/**
 * Objects as rows of a batch. As row-reader.ts, generated per schema: one property read, one check of the value and one
 * store per field.
 */
import { code, CodeBuilder, MAX_TIMESTAMP_MS, reserveBytes, setNull, writeValue } from '../../core/index.ts';
import type { BytesColumn, Code, Column, DataType, Field, RowSchema } from '../../core/index.ts';
import { codeErrors } from './code-errors.ts';
import { describeGiven, fromUserValue, getField, UnfitValue } from './user-values.ts';

/** Writes an object to a row of columns, of which the rows before are written. Throws MR-CODE-ROW. */
export type RowWriter = (value: object, columns: readonly Column[], row: number) => void;

const encoder = new TextEncoder();
/** Below this many characters a loop is faster than a call into Node. */
const SHORT = 24;

export interface WrittenRows {
  readonly stepId: string;
  /** The side that they go to; null for the output. */
  readonly side: string | null;
}

export function compileRowWriter({ fields }: RowSchema, rows: WrittenRows): RowWriter {
  const builder = new CodeBuilder();
  const [given, columns, row, count, all, key] = Array.from({ length: 6 }, () => builder.fresh()) as [
    Code, Code, Code, Code, Code, Code,
  ];
  const notRow = builder.constant((value: unknown) => refuseNoRow(value, rows));
  const check = builder.constant((value: object) => {
    checkFields(value, fields, rows);
  });
  const body = fields.map((field, index) => {
    const [value, column] = [builder.fresh(), builder.fresh()];
    const name = builder.constant(field.name);
    // Of names that every object has, only an own property is a field.
    const read =
      field.name in Object.prototype
        ? code`${builder.constant(getField)}(${given}, ${name})`
        : code`${given}[${name}]`;
    const store = storeField({ builder, column, row, value }, field, rows);
    return code`const ${value} = ${read}, ${column} = ${columns}[${index}];
if (${value} !== undefined) ${count}++;
if (${value} === undefined || ${value} === null) ${builder.constant(setNull)}(${column}, ${row});
else {
if (${column}.hasNulls) ${column}.nulls[${row}] = 0;
${store}
}`;
  });
  return builder.build(
    [given, columns, row],
    code`if (typeof ${given} !== 'object' || ${given} === null) ${notRow}(${given});
let ${count} = 0, ${all} = 0;
${body}
for (const ${key} in ${given}) ${all}++;
if (${all} !== ${count} || ${count} === 0) ${check}(${given});`,
  );
}

interface Names {
  readonly builder: CodeBuilder;
  readonly column: Code;
  readonly row: Code;
  readonly value: Code;
}

/** A value that is neither null nor undefined; whatever is not of the usual sort takes the slow way. */
function storeField({ builder, column, row, value }: Names, { name, type }: Field, rows: WrittenRows): Code {
  const slow = builder.constant((given: unknown, to: Column, at: number) => {
    writeSlow(given, to, at, name, type, rows);
  });
  const store = code`${column}.values[${row}]`;
  const otherwise = code`else ${slow}(${value}, ${column}, ${row});`;
  switch (type.kind) {
    case 'boolean':
      return code`if (typeof ${value} === 'boolean') ${store} = ${value} ? 1 : 0;
${otherwise}`;
    case 'int':
      return code`if (typeof ${value} === 'number' && (${value} | 0) === ${value}) ${store} = ${value};
${otherwise}`;
    case 'float':
      return code`if (typeof ${value} === 'number') ${store} = Math.fround(${value});
${otherwise}`;
    case 'double':
      return code`if (typeof ${value} === 'number') ${store} = ${value};
${otherwise}`;
    case 'timestamp':
      return code`if (Number.isInteger(${value}) && ${value} <= ${MAX_TIMESTAMP_MS} && ${value} >= ${-MAX_TIMESTAMP_MS})
${store} = ${value} + 0;
${otherwise}`;
    case 'long':
      return code`if (${column}.wide === null && Number.isSafeInteger(${value})) ${store} = ${value} + 0;
${otherwise}`;
    case 'string':
      return code`if (typeof ${value} === 'string') ${builder.constant(writeText)}(${column}, ${row}, ${value});
${otherwise}`;
    default:
      return code`${slow}(${value}, ${column}, ${row});`;
  }
}

function writeText(column: BytesColumn, row: number, text: string): void {
  const { length } = text;
  const arena = reserveBytes(column, row, length * 3);
  const start = column.used;
  column.starts[row] = start;
  let end = start;
  if (length <= SHORT) {
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 127) {
        end = -1;
        break;
      }
      arena[end++] = unit;
    }
  } else end = -1;
  if (end < 0) end = start + encoder.encodeInto(text, arena.subarray(start)).written;
  column.ends[row] = end;
  column.used = end;
}

function writeSlow(given: unknown, to: Column, row: number, name: string, type: DataType, rows: WrittenRows): void {
  try {
    writeValue(to, row, fromUserValue(given, type));
  } catch (error) {
    // JSON.stringify() calls code of the value.
    if (!(error instanceof UnfitValue) && type.kind !== 'json') throw error;
    refuse(rows, `its field ${name} is ${(error as Error).message}`);
  }
}

/** Something of the object is no field, or a field is undefined. */
function checkFields(value: object, fields: readonly Field[], rows: WrittenRows): void {
  if ('then' in value && typeof value.then === 'function') refuseNoRow(value, rows);
  for (const name of Object.keys(value)) {
    if (!fields.some((field) => field.name === name)) {
      const known = fields.map((field) => field.name).slice(0, 20);
      refuse(rows, `it has the field ${name.slice(0, 60)}, and its schema ${known.join(', ')}`);
    }
  }
}

function refuseNoRow(value: unknown, rows: WrittenRows): never {
  return refuse(rows, `it is ${describeGiven(value)}, and not an object with fields`);
}

function refuse({ stepId, side }: WrittenRows, problem: string): never {
  const what = side === null ? 'a row' : `a row for ${side}`;
  throw codeErrors.create('MR-CODE-ROW', { step: stepId, what, problem });
}
