/**
 * The contract of formats: how the bytes of records become columns and back. Both directions work on blocks of many
 * records, so that the loops inside are tight and nothing is made per record.
 */
import type { ColumnBatch } from './batch.ts';
import type { Options, SinkSpec, SourceSpec } from './connector.ts';
import type { OptionProblem, OptionTable } from './options.ts';
import type { RowSchema } from './types.ts';

/**
 * Records of one split that lie in one buffer, for a decoder. Reused by its owner. `capacity` is the length of the
 * arrays; only [0, count) is valid.
 */
export class RecordBlock {
  data: Uint8Array = new Uint8Array(0);
  count = 0;
  readonly capacity: number;
  /** The value of record i is data[valueStarts[i] .. valueEnds[i]); a start of -1 is a null value (a tombstone). */
  readonly valueStarts: Int32Array;
  readonly valueEnds: Int32Array;
  /** As values; -1 where there is no key. */
  readonly keyStarts: Int32Array;
  readonly keyEnds: Int32Array;
  /** Where the source's own encoding of the headers begins and ends; -1 where it has none. */
  readonly headerStarts: Int32Array;
  readonly headerEnds: Int32Array;
  /** Milliseconds since the epoch; -1 where there is none. */
  readonly timestamps: Float64Array;
  /** The record's position in its split: Kafka's offset, a byte position in a file, an index. */
  readonly offsets: Float64Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.valueStarts = new Int32Array(capacity);
    this.valueEnds = new Int32Array(capacity);
    this.keyStarts = new Int32Array(capacity);
    this.keyEnds = new Int32Array(capacity);
    this.headerStarts = new Int32Array(capacity);
    this.headerEnds = new Int32Array(capacity);
    this.timestamps = new Float64Array(capacity);
    this.offsets = new Float64Array(capacity);
  }
}

/** Fills the columns of a batch that come from the record's surroundings, for rows [fromRow, toRow). */
export interface MetadataWriter {
  /** `records[r]` is the record of the block that row r was made from. */
  write(block: RecordBlock, batch: ColumnBatch, records: Int32Array, fromRow: number, toRow: number): void;
}

export interface RecordDecoder {
  /**
   * Decodes records from `fromRecord` on and appends the rows that pass the filter to `batch`, until the block ends,
   * the batch is full, or a record fails. Sets `batch.rowCount`, and `records[row]` (the record of each row) for every
   * row it appends. Columns may borrow `block.data`: one batch is filled from one block.
   *
   * Returns the next record to do. If `failure` is not null then, that record failed: the caller deals with it and
   * goes on behind it. A failure in decoding has a code of the format's error table; one in the filter, of expr's.
   *
   * A null value (a tombstone) is a row of NULLs for the value's fields.
   */
  decode(block: RecordBlock, fromRecord: number, batch: ColumnBatch, records: Int32Array): number;
  /** Why the record returned by the last decode() failed, and in which step; null where it did not. */
  readonly failure: { readonly error: Error; readonly stepId: string } | null;
}

/** Encoded records, for a writer to send. Reused by its owner. */
export class EncodedBlock {
  data: Uint8Array;
  count = 0;
  used = 0;
  /** Bytes to leave free before each record, for its owner's framing; only encoders that `framesInPlace` look at it. */
  headroom = 0;
  /** Records that it takes; its owner may lower it below the length of the arrays. */
  capacity: number;
  readonly starts: Int32Array;
  readonly ends: Int32Array;

  constructor(capacity: number, sizeBytes: number) {
    this.capacity = capacity;
    this.data = new Uint8Array(sizeBytes);
    this.starts = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
  }

  reset(): void {
    this.count = 0;
    this.used = 0;
  }

  /** Makes room for `extra` more bytes behind `used`; returns the data to write to, which may be new. */
  reserve(extra: number): Uint8Array {
    const needed = this.used + extra;
    if (needed > this.data.length) {
      const grown = new Uint8Array(Math.max(needed, this.data.length * 2));
      grown.set(this.data.subarray(0, this.used));
      this.data = grown;
    }
    return this.data;
  }
}

export interface RecordEncoder {
  /**
   * Appends one record per row from `fromRow` on to `block`, until the batch ends, `block.capacity` is reached or
   * `block.used` exceeds `maxBytes`. Returns the next row to do. Throws a record-scope error for the row `failedRow`.
   */
  encode(batch: ColumnBatch, fromRow: number, block: EncodedBlock, maxBytes: number): number;
  /** The row that the last throwing encode() failed at; rows before it are in the block. */
  readonly failedRow: number;
  /** Whether records follow each other with nothing but `block.headroom` free bytes before each. */
  readonly framesInPlace?: boolean;
}

export interface FormatDefinition {
  readonly name: string;
  readonly doc: string;
  /** Options that stand in `with` beside the connector's. */
  readonly options: OptionTable;
  /** How records follow each other in a byte stream (files, sockets). */
  readonly framing: 'lines' | 'csv' | 'none';
  readonly canDecode: boolean;
  readonly canEncode: boolean;
  /** The schema where the format decides it (raw, or avro from its schema); null where the job declares it. */
  fixedSchema(options: Options): RowSchema | null;
  /** What is wrong with these fields or options for this format. Paths are relative to `with`. */
  check(schema: RowSchema, options: Options, direction: 'decode' | 'encode'): readonly OptionProblem[];
  /** A decoder of the projection, filter and metadata columns of a source. */
  createDecoder(spec: SourceSpec, metadata: MetadataWriter): RecordDecoder;
  /** An encoder of the given fields (indexes into the sink's input); `fields` is for keys as well as values. */
  createEncoder(spec: SinkSpec, fields: readonly number[]): RecordEncoder;
}
