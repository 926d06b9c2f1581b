/**
 * Rows of a batch as objects. The reader of a schema is generated: one constructor, which sets the fields in the order
 * of the schema, so that all its rows are of one shape, and one read of a column per field. Names of fields are
 * constants of the generated code, and never part of its text.
 */
import { code, CodeBuilder, columnKind, joinCode, readValue } from '../../core/index.ts';
import type { Code, Column, DataType, Field, RowSchema } from '../../core/index.ts';
import { decodeText, formatDate } from '../../expr/index.ts';
import { codeErrors } from './code-errors.ts';
import type { Longs } from './user-values.ts';
import { narrowLong, setField, timeText, toUserValue, UnfitValue } from './user-values.ts';

/** A new object with the fields of a row. */
export type RowReader = (columns: readonly Column[], row: number) => object;

/** Sets the prototype of an object where it is assigned to. */
const PROTOTYPE_NAME = '__proto__';

export function compileRowReader({ fields }: RowSchema, longs: Longs, stepId: string): RowReader {
  const builder = new CodeBuilder();
  const columns = builder.fresh();
  const row = builder.fresh();
  const Row = builder.fresh();
  const values = fields.map(() => builder.fresh());
  const body = fields.map((field, index) => {
    const column = builder.fresh();
    const value = readField({ builder, column, row }, field, longs, stepId);
    const [is, at] = [values[index] as Code, index];
    return code`const ${column} = ${columns}[${at}];
const ${is} = ${column}.hasNulls && ${column}.nulls[${row}] === 1 ? null : ${value};`;
  });
  const parameters = fields.map(() => builder.fresh());
  const assign = fields.map(({ name }, index) => {
    const [key, value] = [builder.constant(name), parameters[index] as Code];
    return name === PROTOTYPE_NAME
      ? code`${builder.constant(setField)}(this, ${key}, ${value});`
      : code`this[${key}] = ${value};`;
  });
  // Rows are plain objects; a constructor of their own gives them room for their fields at once.
  const shared = code`function ${Row}(${joinCode(parameters, ', ')}) {
${assign}
}
${Row}.prototype = Object.prototype;`;
  return builder.build([columns, row], code`${body}
return new ${Row}(${joinCode(values, ', ')});`, shared);
}

interface Names {
  readonly builder: CodeBuilder;
  readonly column: Code;
  readonly row: Code;
}

function readField({ builder, column, row }: Names, { name, type }: Field, longs: Longs, stepId: string): Code {
  const value = code`${column}.values[${row}]`;
  switch (type.kind) {
    case 'boolean':
      return code`${value} === 1`;
    case 'int':
    case 'float':
    case 'double':
    case 'timestamp':
      return value;
    case 'long': {
      if (longs === 'bigint') return code`(${column}.wide === null ? BigInt(${value}) : ${column}.wide[${row}])`;
      const narrow = builder.constant((wide: bigint) => narrowField(wide, name, stepId));
      return code`(${column}.wide === null ? ${value} : ${narrow}(${column}.wide[${row}]))`;
    }
    case 'date':
      return code`${builder.constant(formatDate)}(${value})`;
    case 'time':
      return code`${builder.constant(timeText)}(${value})`;
    case 'string':
      return code`${builder.constant(decodeText)}(${column}.data, ${column}.starts[${row}], ${column}.ends[${row}])`;
    case 'bytes':
      return code`${column}.data.slice(${column}.starts[${row}], ${column}.ends[${row}])`;
    default: {
      const read = (from: Column, at: number): unknown => readSlow(from, at, name, type, longs, stepId);
      return code`${builder.constant(read)}(${column}, ${row})`;
    }
  }
}

function readSlow(from: Column, row: number, name: string, type: DataType, longs: Longs, stepId: string): unknown {
  if (from.kind !== columnKind(type)) throw new TypeError(`a column of ${from.kind} where ${type.kind} was expected`);
  try {
    return toUserValue(readValue(from, type, row), type, longs);
  } catch (error) {
    if (!(error instanceof UnfitValue || error instanceof SyntaxError)) throw error;
    throw codeErrors.create('MR-CODE-READ', { step: stepId, field: name, problem: error.message });
  }
}

function narrowField(wide: bigint, name: string, stepId: string): number {
  try {
    return narrowLong(wide);
  } catch (error) {
    const problem = error instanceof UnfitValue ? error.message : String(error);
    throw codeErrors.create('MR-CODE-READ', { step: stepId, field: name, problem });
  }
}
