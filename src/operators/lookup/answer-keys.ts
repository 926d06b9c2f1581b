import { loadWideDecimal } from '../../core/index.ts';
import type { BytesColumn, Column, ColumnBatch } from '../../core/index.ts';
import type { AnswerKey } from './answer-cache.ts';

/** The keys of a batch's rows as keys of a Map. Equal values give equal keys, other values other ones. */
export class AnswerKeys {
  readonly #fields: readonly number[];
  #columns: readonly Column[] = [];
  /** Per column, its bytes. */
  #bytes: readonly (Buffer | null)[] = [];

  constructor(fields: readonly number[]) {
    this.#fields = fields;
  }

  read(batch: ColumnBatch): void {
    this.#columns = this.#fields.map((index) => batch.columns[index] as Column);
    this.#bytes = this.#columns.map((column) => (column.kind === 'bytes' ? bytesOf(column) : null));
  }

  /** Null where one of the values is NULL. */
  of(row: number): AnswerKey | null {
    const columns = this.#columns;
    if (columns.length === 1) return this.#value(0, row);
    let key = '';
    for (let index = 0; index < columns.length; index++) {
      const value = this.#value(index, row);
      if (value === null) return null;
      key += typeof value === 'string' ? `${value.length}:${value}` : `${value},`;
    }
    return key;
  }

  #value(index: number, row: number): AnswerKey | null {
    const column = this.#columns[index] as Column;
    if (column.hasNulls && column.nulls[row] === 1) return null;
    switch (column.kind) {
      case 'boolean':
      case 'int':
      case 'double':
        return column.values[row] as number;
      case 'long':
        return column.wide === null ? (column.values[row] as number) : narrow(column.wide[row] as bigint);
      case 'decimal':
        return column.wide === null ? (column.values[row] as number) : narrow(loadWideDecimal(column.wide, row));
      case 'bytes':
        return (this.#bytes[index] as Buffer).toString('latin1', column.starts[row], column.ends[row]);
      case 'object':
        throw new TypeError('rows are looked up by values that can be compared');
    }
  }
}

function bytesOf({ data }: BytesColumn): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** A column is wide because of any of its rows: the others have the key that they have in another batch. */
function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
