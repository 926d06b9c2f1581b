/** The columns that come from a record's surroundings: `metadata:` of a Kafka source. */
import {
  reserveBytes,
  setNull,
  types,
  type BytesColumn,
  type Column,
  type ColumnBatch,
  type DataType,
  type MetadataWriter,
  type RecordBlock,
  type SourceSpec,
} from '../../../core/index.ts';
import { decodeHeaders } from '../record-batch/index.ts';

/** The names that `metadata:` may use, and their types. */
export const kafkaMetadata: Readonly<Record<string, DataType>> = Object.freeze({
  key: types.bytes,
  headers: types.map(types.string, types.bytes),
  timestamp: types.timestamp,
  partition: types.int,
  offset: types.long,
  topic: types.string,
});

const DETAILS: ReadonlySet<string> = new Set(['key', 'headers', 'timestamp']);

interface MetadataColumn {
  /** In the emitted batch. */
  readonly index: number;
  readonly key: string;
}

/** Writes the metadata columns that a source emits. Its owner says which partition the block is of. */
export class KafkaMetadataWriter implements MetadataWriter {
  topic = '';
  partition = 0;
  readonly #columns: readonly MetadataColumn[];

  constructor(spec: SourceSpec) {
    const declared = spec.schema.fields.length;
    this.#columns = spec.projection.flatMap((field, index) => {
      const metadata = field < declared ? undefined : spec.metadata[field - declared];
      return metadata === undefined ? [] : [{ index, key: metadata.key }];
    });
  }

  /** Whether a column shows the key, headers or timestamp of a record. */
  get readsDetails(): boolean {
    return this.#columns.some(({ key }) => DETAILS.has(key));
  }

  write(block: RecordBlock, batch: ColumnBatch, records: Int32Array, fromRow: number, toRow: number): void {
    for (const { index, key } of this.#columns) {
      this.#fill(key, batch.columns[index] as Column, block, records, fromRow, toRow);
    }
  }

  #fill(key: string, column: Column, block: RecordBlock, records: Int32Array, fromRow: number, toRow: number): void {
    switch (column.kind) {
      case 'bytes':
        if (key === 'topic') fillText(column, this.topic, fromRow, toRow);
        else fillKey(column, block, records, fromRow, toRow);
        return;
      case 'int':
        column.values.fill(this.partition, fromRow, toRow);
        return;
      case 'long':
        for (let row = fromRow; row < toRow; row++) {
          column.values[row] = block.offsets[records[row] as number] as number;
        }
        return;
      case 'double':
        for (let row = fromRow; row < toRow; row++) {
          const timestamp = block.timestamps[records[row] as number] as number;
          column.values[row] = timestamp;
          if (timestamp < 0) setNull(column, row);
          else if (column.hasNulls) column.nulls[row] = 0;
        }
        return;
      case 'object':
        for (let row = fromRow; row < toRow; row++) {
          if (column.hasNulls) column.nulls[row] = 0;
          column.values[row] = headersOf(block, records[row] as number);
        }
        return;
      default:
        throw new TypeError(`a ${column.kind} column for Kafka's ${key}`);
    }
  }
}

function fillText(column: BytesColumn, text: string, fromRow: number, toRow: number): void {
  const bytes = Buffer.from(text);
  const start = column.used;
  reserveBytes(column, fromRow, bytes.length).set(bytes, start);
  column.used += bytes.length;
  column.starts.fill(start, fromRow, toRow);
  column.ends.fill(column.used, fromRow, toRow);
}

/** Keys stay where they are: the column borrows the block's bytes, as one batch is of one block. */
function fillKey(column: BytesColumn, block: RecordBlock, records: Int32Array, fromRow: number, toRow: number): void {
  column.data = block.data;
  for (let row = fromRow; row < toRow; row++) {
    const record = records[row] as number;
    const start = block.keyStarts[record] as number;
    if (start < 0) {
      setNull(column, row);
      continue;
    }
    if (column.hasNulls) column.nulls[row] = 0;
    column.starts[row] = start;
    column.ends[row] = block.keyEnds[record] as number;
  }
}

/** Of headers with the same name the last counts, as with Kafka's lastHeader(). */
function headersOf(block: RecordBlock, record: number): ReadonlyMap<string, Uint8Array | null> {
  const start = block.headerStarts[record] as number;
  const headers = new Map<string, Uint8Array | null>();
  for (const { name, value } of decodeHeaders(block.data, start, block.headerEnds[record] as number)) {
    headers.delete(name);
    headers.set(name, value === null ? null : value.slice());
  }
  return headers;
}
