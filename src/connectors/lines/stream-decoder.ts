import { ColumnBatch, RecordBlock } from '../../core/index.ts';
import type { BatchOrigin, Counter, RecordDecoder, RecordErrorHandler, RowSchema } from '../../core/index.ts';
import { viewOf } from '../formats/index.ts';
import { lineErrors } from './errors.ts';
import type { RecordFraming } from './record-framing.ts';

/** Records of one block, and so of one batch. */
export const STREAM_BATCH_ROWS = 2048;
const CARRIAGE_RETURN = 0x0d;

export interface StreamSettings {
  /** Names the stream in messages: a path, an address. */
  readonly name: string;
  readonly maxRecordBytes: number;
  readonly skipsEmpty: boolean;
  /** What the decoder emits. */
  readonly schema: RowSchema;
  /** Where the stream begins, for messages and positions. */
  readonly offset: number;
}

/**
 * Cuts the bytes of one stream into records and decodes them. Batches borrow the bytes pushed: whoever pushes must not
 * change them again.
 */
export class StreamDecoder {
  readonly #decoder: RecordDecoder;
  readonly #framing: RecordFraming;
  readonly #settings: StreamSettings;
  readonly #recordsIn: Counter;
  readonly #block = new RecordBlock(STREAM_BATCH_ROWS);
  /** The record of the block that each row came from. */
  readonly #records = new Int32Array(STREAM_BATCH_ROWS);
  readonly #origin: StreamOrigin;
  #buffer: Uint8Array = new Uint8Array(0);
  #view: DataView = viewOf(this.#buffer);
  /** The stream's offset of buffer[0]. */
  #base: number;
  /** The first byte that is in no block yet, and how far the search for its record's end has come. */
  #from = 0;
  #searched = 0;
  #record = 0;
  #ended = false;

  constructor(decoder: RecordDecoder, framing: RecordFraming, settings: StreamSettings, recordsIn: Counter) {
    this.#decoder = decoder;
    this.#framing = framing;
    this.#settings = settings;
    this.#recordsIn = recordsIn;
    this.#base = settings.offset;
    this.#origin = new StreamOrigin(settings.name, this.#block);
  }

  /** The offset behind the last record that was polled (or failed and was dealt with). */
  get position(): number {
    return this.#record < this.#block.count ? (this.#block.offsets[this.#record] as number) : this.#base + this.#from;
  }

  /** The offset behind the last byte pushed. */
  get received(): number {
    return this.#base + this.#buffer.length;
  }

  push(bytes: Uint8Array): void {
    const rest = this.#buffer.subarray(this.#from);
    this.#base += this.#from;
    this.#searched -= this.#from;
    this.#from = 0;
    if (rest.length === 0) this.#buffer = bytes;
    else {
      this.#buffer = new Uint8Array(rest.length + bytes.length);
      this.#buffer.set(rest);
      this.#buffer.set(bytes, rest.length);
    }
    this.#view = viewOf(this.#buffer);
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Whether everything pushed before end() has been polled. */
  get isDone(): boolean {
    return this.#ended && this.#record >= this.#block.count && this.#from >= this.#buffer.length;
  }

  /** Shows the decoder the first record of a stream that is resumed in its middle. */
  pushHeader(bytes: Uint8Array): void {
    const block = this.#block;
    block.data = bytes;
    block.count = 0;
    this.#add(0, bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length);
    block.offsets[0] = 0;
    this.#decoder.decode(block, 0, new ColumnBatch(this.#settings.schema, 1), this.#records);
    block.count = 0;
    if (this.#decoder.failure !== null) throw this.#decoder.failure.error;
  }

  /** No more bytes: what is left is the last record. */
  end(): void {
    this.#ended = true;
  }

  /** Fills the batch with the next rows; false where more bytes are needed first. Rows may all have been dropped. */
  poll(batch: ColumnBatch, errors: RecordErrorHandler): boolean {
    batch.reset();
    if (this.#record >= this.#block.count && !this.#frame()) return false;
    batch.origin = this.#origin;
    batch.originRows = this.#records;
    while (this.#record < this.#block.count && batch.rowCount < batch.capacity) {
      this.#record = this.#decoder.decode(this.#block, this.#record, batch, this.#records);
      const { failure } = this.#decoder;
      if (failure === null) continue;
      this.#records[batch.rowCount] = this.#record;
      this.#record++;
      errors.handle(batch, batch.rowCount, failure.stepId, failure.error);
    }
    return true;
  }

  /** Cuts the next block; false where not a single record is complete. */
  #frame(): boolean {
    const block = this.#block;
    const { maxRecordBytes, skipsEmpty } = this.#settings;
    const to = this.#buffer.length;
    block.data = this.#buffer;
    block.count = 0;
    this.#record = 0;
    while (block.count < block.capacity && this.#from < to) {
      let end = this.#framing.findEnd(this.#buffer, this.#view, this.#searched, to);
      let next = end + 1;
      if (end < 0) {
        this.#searched = to;
        if (to - this.#from > maxRecordBytes) throw this.#tooLong();
        if (!this.#ended) break;
        end = to;
        next = to;
      } else if (end - this.#from > maxRecordBytes) {
        throw this.#tooLong();
      }
      const start = this.#from;
      if (end > start && this.#buffer[end - 1] === CARRIAGE_RETURN) end--;
      if (end > start || !skipsEmpty) this.#add(start, end);
      this.#from = next;
      this.#searched = next;
    }
    this.#recordsIn.value += block.count;
    return block.count > 0;
  }

  #add(start: number, end: number): void {
    const block = this.#block;
    const index = block.count++;
    block.valueStarts[index] = start;
    block.valueEnds[index] = end;
    block.keyStarts[index] = -1;
    block.headerStarts[index] = -1;
    block.timestamps[index] = -1;
    block.offsets[index] = this.#base + start;
  }

  #tooLong(): Error {
    const { name, maxRecordBytes } = this.#settings;
    return lineErrors.create('MR-LINES-TOO-LONG', {
      source: name,
      offset: this.#base + this.#from,
      limit: maxRecordBytes,
    });
  }
}

class StreamOrigin implements BatchOrigin {
  readonly parts: { readonly prefix: string; readonly offsets: Float64Array };

  constructor(name: string, block: RecordBlock) {
    this.parts = { prefix: `${name}, byte `, offsets: block.offsets };
  }

  describe(row: number): string {
    return `${this.parts.prefix}${this.parts.offsets[row] ?? -1}`;
  }
}
