/** What both forms of top-n do alike: how rows leave, and what their state looks like. */
import { formatType } from '../../core/index.ts';
import type { LongColumn, RowKind, RowSchema, StateSchema } from '../../core/index.ts';
import type { BufferedOutput } from '../buffered-output.ts';
import { writeInteger, writeNull } from '../state/column-writes.ts';
import type { RowSlots } from '../state/row-slots.ts';
import { fieldNames, keptRows, keptRowsSchema } from '../state/row-migration.ts';
import type { TopNSpec } from './top-n-operator.ts';

/** Adds a kept row to the output, which has room; `place`, from 0, is for the last field, null where it is none. */
export function sayRow(
  output: BufferedOutput,
  rows: RowSlots,
  slot: number,
  kind: RowKind,
  place: number | null,
): void {
  const { columns, row } = output;
  rows.writeAll(slot, columns, 0, row);
  if (place !== null) {
    const rank = columns[columns.length - 1] as LongColumn;
    writeNull(rank, row, false);
    writeInteger(rank, row, place + 1, null);
  }
  output.add(kind, NaN);
}

export function topNSchema(kind: 'top-n' | 'updating-top-n', key: RowSchema, spec: TopNSpec): StateSchema {
  const { by, count, hasRank, input, keys } = spec;
  const order = fieldNames(input, by.map(({ column }) => column));
  return keptRowsSchema(kind, key, [keptRows(input)], {
    keys: fieldNames(input, keys),
    by: by.map(({ descending }, index) => ({ field: order[index] ?? '', descending })),
    count,
    hasRank,
    // A row that is taken back has to be found, so it must not have become another one.
    row: kind === 'top-n' ? null : input.fields.map(({ name, type }) => `${name} ${formatType(type)}`),
  });
}
