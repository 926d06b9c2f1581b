/**
 * Steps that keep rows as they came (docs/design/013): their fields are values of the state's schema, so fields may
 * come (NULL in rows from before), go, and become wider, and anything else is refused.
 */
import {
  coreErrors,
  createColumn,
  loadWideDecimal,
  narrowing,
  resetColumn,
  sameType,
  setNull,
} from '../../core/index.ts';
import type { Column, DataType, OptionValue, RowSchema, StateSchema } from '../../core/index.ts';
import type { ByteReader } from './byte-reader.ts';
import { isSafe, writeInteger, writeNull } from './column-writes.ts';
import { decodeRow } from './row-codec.ts';
import { matchSchemas } from './state-schema.ts';

/** The rows of an input; `prefix` stands before the names of its fields where there are several inputs. */
export interface KeptRows {
  readonly prefix: string;
  readonly row: RowSchema;
}

/** Of the one input that a step has. */
export function keptRows(row: RowSchema): KeptRows {
  return { prefix: '', row };
}

/** The schema of entries that hold rows. What settings say of fields they say by name. */
export function keptRowsSchema(
  kind: string,
  key: RowSchema,
  rows: readonly KeptRows[],
  settings: Readonly<Record<string, OptionValue>>,
): StateSchema {
  const fields = rows.flatMap(({ prefix, row }) =>
    row.fields.map(({ name, type }) => ({ name: `${prefix}${name}`, type })),
  );
  return { kind, version: 2, key, values: { fields }, settings };
}

export function fieldNames({ fields }: RowSchema, indexes: readonly number[]): readonly string[] {
  return indexes.map((index) => fields[index]?.name ?? '');
}

/**
 * How rows that entries of one schema hold become rows of another; null where they are the same. Throws
 * MR-STATE-INCOMPATIBLE where that cannot be.
 */
export function migrationOf(
  written: StateSchema,
  current: StateSchema,
  { prefix, row }: KeptRows,
  stepId: string,
): RowMigration | null {
  matchSchemas(written, current, stepId);
  const before = written.values.fields.filter(({ name }) => name.startsWith(prefix));
  const moves = before.map(({ name, type }) => {
    const target = row.fields.findIndex((field) => `${prefix}${field.name}` === name);
    const now = row.fields[target]?.type ?? null;
    const reason = now === null ? null : narrowing({ name, type }, now);
    if (reason !== null) throw coreErrors.create('MR-STATE-INCOMPATIBLE', { step: stepId, reason });
    return { type, target };
  });
  const isSame =
    moves.length === row.fields.length &&
    moves.every(({ type, target }, index) => target === index && sameType(type, (row.fields[index] as Field).type));
  return isSame ? null : new RowMigration(moves, row);
}

type Field = RowSchema['fields'][number];

interface Move {
  /** Of the field as it was written. */
  readonly type: DataType;
  /** Which field it is now; -1 for none. */
  readonly target: number;
}

export class RowMigration {
  readonly #types: readonly DataType[];
  readonly #moves: readonly Move[];
  readonly #fields: readonly Field[];
  /** Where a written value goes first that is no value of today's field; null where it is one. */
  readonly #between: readonly (Column | null)[];
  /** Fields that no written row has. */
  readonly #added: readonly number[];

  constructor(moves: readonly Move[], { fields }: RowSchema) {
    this.#types = moves.map(({ type }) => type);
    this.#moves = moves;
    this.#fields = fields;
    this.#between = moves.map(({ type, target }) => {
      const now = fields[target]?.type;
      return now !== undefined && sameType(type, now) ? null : createColumn(type, 1);
    });
    this.#added = fields.flatMap((_, index) => (moves.some(({ target }) => target === index) ? [] : [index]));
  }

  /** As decodeRow(), into row 0 of columns that were reset. */
  decode(from: ByteReader, columns: readonly Column[]): void {
    const targetOf = (index: number): Column => columns[(this.#moves[index] as Move).target] as Column;
    const read = this.#between.map((between, index) => between ?? targetOf(index));
    for (const between of this.#between) if (between !== null) resetColumn(between);
    decodeRow(from, this.#types, read, 0);
    for (const [index, between] of this.#between.entries()) {
      const { type, target } = this.#moves[index] as Move;
      const column = columns[target];
      if (between !== null && column !== undefined) widen(between, type, column, (this.#fields[target] as Field).type);
    }
    for (const index of this.#added) setNull(columns[index] as Column, 0);
  }
}

/** Of a type that isWider(). */
function widen(from: Column, fromType: DataType, to: Column, toType: DataType): void {
  if (from.hasNulls && from.nulls[0] === 1) {
    setNull(to, 0);
    return;
  }
  writeNull(to, 0, false);
  if (to.kind === 'double') {
    to.values[0] = (from as Column & { readonly kind: 'int' | 'double' }).values[0] as number;
    return;
  }
  if (to.kind !== 'long' && to.kind !== 'decimal') throw new Error(`nothing becomes a ${to.kind}`);
  const scaled = integerOf(from) * 10n ** BigInt(scaleOf(toType) - scaleOf(fromType));
  writeInteger(to, 0, isSafe(scaled) ? Number(scaled) : 0, isSafe(scaled) ? null : scaled);
}

function integerOf(column: Column): bigint {
  if (column.kind === 'decimal' && column.wide !== null) return loadWideDecimal(column.wide, 0);
  if (column.kind === 'long' && column.wide !== null) return column.wide[0] as bigint;
  return BigInt((column as Column & { readonly kind: 'int' | 'long' | 'decimal' }).values[0] as number);
}

function scaleOf(type: DataType): number {
  return type.kind === 'decimal' ? type.scale : 0;
}
