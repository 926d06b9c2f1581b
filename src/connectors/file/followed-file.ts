import type {
  ColumnBatch,
  Counter,
  FileSystem,
  OpenFile,
  RecordErrorHandler,
} from '../../core/index.ts';
import { emittedSchema, isMillraceError } from '../../core/index.ts';
import { viewOf } from '../formats/index.ts';
import { StreamDecoder } from '../lines/stream-decoder.ts';
import { createFraming, skipsEmptyRecords } from '../lines/stream-format.ts';
import { fileErrors } from './errors.ts';
import type { FileDecoding } from './file-decoding.ts';

const CHUNK_BYTES = 256 * 1024;
const MIN_CHUNK_BYTES = 4096;
/** The first line of a CSV file that is resumed in its middle. */
const MAX_HEADER_BYTES = 1024 * 1024;

export interface FilePosition {
  readonly path: string;
  /** Tells the file from another one of its name. */
  readonly inode: number;
  readonly offset: number;
}

interface FileSettings {
  readonly follow: boolean;
  readonly maxRecord: number;
}

interface FileCounters {
  readonly bytesIn: Counter;
  readonly recordsIn: Counter;
}

/** One file that is read from a position on: to its end, or as it grows. */
export class FollowedFile {
  readonly #decoding: FileDecoding;
  readonly #path: string;
  readonly #settings: FileSettings;
  readonly #files: FileSystem;
  readonly #counters: FileCounters;
  readonly #pathBytes: Uint8Array;
  #inode: number;
  #start: number;
  /** Only while the file is being read. */
  #decoder: StreamDecoder | null = null;
  #handle: OpenFile | null = null;
  /** When it was opened. */
  #size = 0;
  #isOpened = false;
  /** The read that is under way. */
  #reading: Promise<void> | null = null;
  /** What it brought; empty at the end of the file. */
  #chunk: Uint8Array | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(
    at: FilePosition,
    decoding: FileDecoding,
    settings: FileSettings,
    files: FileSystem,
    counters: FileCounters,
  ) {
    this.#decoding = decoding;
    this.#path = at.path;
    this.#inode = at.inode;
    this.#start = at.offset;
    this.#settings = settings;
    this.#files = files;
    this.#counters = counters;
    this.#pathBytes = new TextEncoder().encode(at.path);
  }

  #createDecoder(): StreamDecoder {
    const { spec, format } = this.#decoding;
    return new StreamDecoder(
      this.#decoding.decoder(),
      createFraming(spec),
      {
        name: this.#path,
        maxRecordBytes: this.#settings.maxRecord,
        skipsEmpty: skipsEmptyRecords(format),
        schema: emittedSchema(spec),
        offset: this.#start,
      },
      this.#counters.recordsIn,
    );
  }

  get position(): FilePosition {
    return { path: this.#path, inode: this.#inode, offset: this.#decoder?.position ?? this.#start };
  }

  /** `reading`: nothing before ready() resolves. `exhausted`: the end of the file, for now. `again`: call at once. */
  poll(batch: ColumnBatch, errors: RecordErrorHandler): 'rows' | 'reading' | 'exhausted' | 'again' {
    if (this.#failure !== null) throw this.#failure.error;
    const decoder = (this.#decoder ??= this.#createDecoder());
    this.#decoding.metadata.setPath(this.#pathBytes);
    if (decoder.poll(batch, errors)) return batch.rowCount > 0 ? 'rows' : 'again';
    if (decoder.isDone) return this.#exhausted(decoder);
    const chunk = this.#chunk;
    if (chunk === null) {
      this.#startRead(decoder);
      return 'reading';
    }
    this.#chunk = null;
    if (chunk.length > 0) {
      decoder.push(chunk);
      this.#startRead(decoder);
      return 'again';
    }
    if (this.#settings.follow) return this.#exhausted(decoder);
    decoder.end();
    return 'again';
  }

  /** A record that has no end yet is read again later, from its start. */
  #exhausted(decoder: StreamDecoder): 'exhausted' {
    this.#start = decoder.position;
    this.#decoder = null;
    // Opened anew by the next read: the name may stand for another file by then.
    this.#isOpened = false;
    this.#reading = this.#closeHandle().finally(() => {
      this.#reading = null;
    });
    return 'exhausted';
  }

  async ready(): Promise<void> {
    if (this.#reading !== null) await this.#reading;
    if (this.#failure !== null) throw this.#failure.error;
  }

  #startRead(decoder: StreamDecoder): void {
    if (this.#reading !== null) return;
    this.#reading = this.#read(decoder)
      .catch((error: unknown) => {
        this.#failure = { error: this.#readError(error) };
      })
      .finally(() => {
        this.#reading = null;
      });
  }

  async #read(decoder: StreamDecoder): Promise<void> {
    if (!this.#isOpened) await this.#open(decoder);
    if (this.#handle === null) {
      this.#chunk = new Uint8Array(0);
      return;
    }
    const from = this.#decoder?.received ?? decoder.received;
    // One byte more than the file had when it was opened: a small file needs no large buffer.
    const size = Math.min(CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, this.#size - from + 1));
    const buffer = new Uint8Array(size);
    const count = await this.#handle.read(buffer, size, from);
    this.#counters.bytesIn.value += count;
    this.#chunk = buffer.subarray(0, count);
  }

  /** Opens the file, and sees whether it still is the one that was read before. */
  async #open(decoder: StreamDecoder): Promise<void> {
    this.#isOpened = true;
    const info = await this.#files.stat(this.#path);
    if (info === null) {
      if (this.#settings.follow) return;
      throw fileErrors.create('MR-FILE-NOT-FOUND', { path: this.#path });
    }
    const isAnother = info.inode !== this.#inode;
    if (isAnother || info.sizeBytes < this.#start) this.#restart(info.inode, isAnother);
    this.#size = info.sizeBytes;
    this.#handle = await this.#files.open(this.#path, 'read');
    if (this.#start > 0) await this.#readHeader(this.#handle, decoder);
  }

  /** Another file under the name, or the file was cut: from the start while following, else a failure. */
  #restart(inode: number, isAnother: boolean): void {
    if (!this.#settings.follow) {
      const problem = isAnother ? 'it was replaced' : 'it is shorter than what was read of it';
      throw fileErrors.create('MR-FILE-CHANGED', { path: this.#path, problem });
    }
    this.#inode = inode;
    this.#start = 0;
    this.#decoder = this.#createDecoder();
  }

  /** A CSV file that is resumed in its middle: its first line says which columns it has. */
  async #readHeader(handle: OpenFile, decoder: StreamDecoder): Promise<void> {
    if (!this.#decoding.hasHeader) return;
    const buffer = new Uint8Array(Math.min(this.#start, MAX_HEADER_BYTES));
    const count = await handle.read(buffer, buffer.length, 0);
    const end = createFraming(this.#decoding.spec).findEnd(buffer, viewOf(buffer), 0, count);
    decoder.pushHeader(buffer.subarray(0, end < 0 ? count : end));
  }

  #readError(error: unknown): unknown {
    if (isMillraceError(error)) return error;
    const problem = error instanceof Error ? error.message : String(error);
    return fileErrors.create('MR-FILE-READ', { path: this.#path, problem }, error);
  }

  async #closeHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  async close(): Promise<void> {
    await this.#reading;
    await this.#closeHandle();
  }
}
