import { appendBytes } from '../../core/index.ts';
import type { ColumnBatch, MetadataWriter, RecordBlock, SourceSpec } from '../../core/index.ts';

/** `path` and `offset` of the file source. */
export class FileMetadata implements MetadataWriter {
  #path: Uint8Array = new Uint8Array(0);
  /** Columns of the batch that show the path, and the offset. */
  readonly #pathColumns: readonly number[];
  readonly #offsetColumns: readonly number[];

  constructor(spec: SourceSpec) {
    const columnsOf = (key: string): number[] =>
      spec.projection.flatMap((field, column) =>
        spec.metadata[field - spec.schema.fields.length]?.key === key ? [column] : [],
      );
    this.#pathColumns = columnsOf('path');
    this.#offsetColumns = columnsOf('offset');
  }

  /** The file that the next rows come from, in UTF-8. */
  setPath(path: Uint8Array): void {
    this.#path = path;
  }

  write(block: RecordBlock, batch: ColumnBatch, records: Int32Array, fromRow: number, toRow: number): void {
    for (const index of this.#pathColumns) {
      const column = batch.columns[index];
      if (column?.kind !== 'bytes') continue;
      appendBytes(column, fromRow, this.#path);
      column.starts.fill(column.starts[fromRow] as number, fromRow, toRow);
      column.ends.fill(column.ends[fromRow] as number, fromRow, toRow);
    }
    for (const index of this.#offsetColumns) {
      const column = batch.columns[index];
      if (column?.kind !== 'long') continue;
      for (let row = fromRow; row < toRow; row++) column.values[row] = block.offsets[records[row] as number] as number;
    }
  }
}
