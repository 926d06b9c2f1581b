import { setNull } from '../../core/index.ts';
import type { Column, ColumnBatch, MetadataWriter, RecordBlock, RecordDecoder, SourceSpec } from '../../core/index.ts';
import { RowFilter } from './row-filter.ts';
import { TargetColumns } from './target-columns.ts';
import { wantedFields, type WantedFields } from './wanted-fields.ts';

/** Reads one record of a format. */
export interface RecordReader {
  /** Whether string and bytes columns borrow the block's bytes; else they own theirs. */
  readonly borrows: boolean;
  /** Called before the records of a block. */
  setBlock?(block: RecordBlock): void;
  /**
   * Writes the wanted fields of the record data[start .. end) at `row` of their columns. False where the record is no
   * row (a header). Throws an error of scope `record`.
   */
  read(block: RecordBlock, record: number, columns: readonly Column[], row: number): boolean;
}

/** A decoder that goes record by record, for formats that are not generated. */
export class RowwiseDecoder implements RecordDecoder {
  failure: { readonly error: Error; readonly stepId: string } | null = null;
  readonly #spec: SourceSpec;
  readonly #metadata: MetadataWriter;
  readonly #columns: TargetColumns;
  readonly #filter: RowFilter;
  readonly #reader: RecordReader;

  constructor(spec: SourceSpec, metadata: MetadataWriter, createReader: (wanted: WantedFields) => RecordReader) {
    const wanted = wantedFields(spec);
    this.#spec = spec;
    this.#metadata = metadata;
    this.#columns = new TargetColumns(wanted);
    this.#filter = new RowFilter(spec, wanted);
    this.#reader = createReader(wanted);
  }

  decode(block: RecordBlock, fromRecord: number, batch: ColumnBatch, records: Int32Array): number {
    this.failure = null;
    const columns = this.#columns.bind(batch, this.#reader.borrows ? block.data : null);
    const capacity = Math.min(batch.capacity, records.length);
    const firstRow = batch.rowCount;
    let row = firstRow;
    let record = fromRecord;
    this.#reader.setBlock?.(block);
    try {
      for (; record < block.count && row < capacity; record++) {
        if (!this.#readRow(block, record, columns, row)) continue;
        records[row] = record;
        row++;
      }
    } catch (error) {
      this.failure = {
        error: error instanceof Error ? error : new Error(String(error)),
        stepId: this.#filter.evaluating ?? this.#spec.stepId,
      };
      this.#filter.evaluating = null;
    }
    batch.rowCount = row;
    if (row > firstRow) this.#metadata.write(block, batch, records, firstRow, row);
    return record;
  }

  #readRow(block: RecordBlock, record: number, columns: readonly Column[], row: number): boolean {
    if ((block.valueStarts[record] as number) < 0) for (const column of columns) setNull(column, row);
    else if (!this.#reader.read(block, record, columns, row)) return false;
    return this.#filter.passes(columns, row);
  }
}
