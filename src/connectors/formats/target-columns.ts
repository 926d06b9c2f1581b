import { createColumn } from '../../core/index.ts';
import type { Column, ColumnBatch } from '../../core/index.ts';
import type { WantedFields } from './wanted-fields.ts';

/** Where the wanted fields of a source go: into the batch, or into scratch columns where only a filter reads them. */
export class TargetColumns {
  readonly #wanted: WantedFields;
  #scratch: readonly (Column | null)[] = [];
  #capacity = -1;

  constructor(wanted: WantedFields) {
    this.#wanted = wanted;
  }

  /**
   * One column per target, empty where the batch is empty. `borrowed` is what bytes columns borrow until something is
   * appended to them; null where they own their bytes from the start.
   */
  bind(batch: ColumnBatch, borrowed: Uint8Array | null): readonly Column[] {
    if (this.#capacity < batch.capacity) {
      this.#capacity = batch.capacity;
      this.#scratch = this.#wanted.targets.map(({ field, output }) =>
        output < 0 ? createColumn(field.type, batch.capacity) : null,
      );
    }
    for (const { from, to } of this.#wanted.aliases) batch.columns[to] = batch.columns[from] as Column;
    return this.#wanted.targets.map(({ output }, index) => {
      const column = (output < 0 ? this.#scratch[index] : batch.columns[output]) as Column;
      if (batch.rowCount === 0) startColumn(column, borrowed);
      return column;
    });
  }
}

function startColumn(column: Column, borrowed: Uint8Array | null): void {
  column.hasNulls = false;
  if (column.kind === 'long' || column.kind === 'decimal') column.wide = null;
  if (column.kind === 'bytes') {
    column.used = 0;
    column.data = borrowed ?? column.arena;
  }
}
