import { createColumn, resetColumn } from '../../core/index.ts';
import type { Column, Expression, Field } from '../../core/index.ts';
import { columnsOf, compileRowTest } from '../../expr/index.ts';
import type { RowTest } from '../../expr/index.ts';
import type { SlotRows } from '../state/row-slots.ts';
import type { JoinSpec } from './join-spec.ts';

/** Whether a condition over the fields of both sides is TRUE for a pair of rows that are kept. */
export class PairCondition {
  readonly #test: RowTest;
  /** One row, of the fields that the condition names. */
  readonly #columns: readonly Column[];
  /** The fields of each side, and where they stand. */
  readonly #left: readonly { readonly field: number; readonly place: number }[];
  readonly #right: readonly { readonly field: number; readonly place: number }[];

  constructor(condition: Expression, { left, right }: JoinSpec) {
    const fields = [...left.fields, ...right.fields];
    const named = [...new Set(columnsOf(condition))];
    const typeOf = (index: number) => (fields[index] as Field).type;
    this.#columns = named.map((index) => createColumn(typeOf(index), 1));
    this.#test = compileRowTest(condition, (index) => ({ place: named.indexOf(index), type: typeOf(index) }));
    const places = named.map((field, place) => ({ field, place }));
    const leftCount = left.fields.length;
    this.#left = places.filter(({ field }) => field < leftCount);
    this.#right = places
      .filter(({ field }) => field >= leftCount)
      .map(({ field, place }) => ({ field: field - leftCount, place }));
  }

  /** Throws record-scope errors. */
  holds(left: SlotRows, leftSlot: number, right: SlotRows, rightSlot: number): boolean {
    const columns = this.#columns;
    for (let i = 0; i < columns.length; i++) resetColumn(columns[i] as Column);
    for (const { field, place } of this.#left) left.write(leftSlot, field, columns[place] as Column, 0);
    for (const { field, place } of this.#right) right.write(rightSlot, field, columns[place] as Column, 0);
    return this.#test(columns, 0);
  }
}
