/** What both forms of top-n do alike: how rows leave, and what their state looks like. */
import { formatType } from '../../core/index.ts';
import type { LongColumn, RowKind, RowSchema, StateSchema } from '../../core/index.ts';
import type { BufferedOutput } from '../buffered-output.ts';
import { writeInteger, writeNull } from '../state/column-writes.ts';
import type { RowSlots } from '../state/row-slots.ts';
import { layoutSchema } from '../state/state-schema.ts';
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
  return layoutSchema({
    kind,
    version: 1,
    key,
    values: [],
    settings: {
      keys,
      by: by.map(({ column, descending }) => ({ column, descending })),
      count,
      hasRank,
      row: input.fields.map(({ type }) => formatType(type)),
    },
  });
}
