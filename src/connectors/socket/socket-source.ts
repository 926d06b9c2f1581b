import { ColumnBatch, counterNames, defineOptions, emittedSchema, splitId } from '../../core/index.ts';
import type {
  Counter,
  OptionValues,
  Options,
  ReaderContext,
  Socket,
  SourceConnector,
  SourceReader,
  SourceSpec,
  Split,
  SplitId,
  SplitEnumerator,
} from '../../core/index.ts';
import { formatNamed } from '../formats/index.ts';
import { STREAM_BATCH_ROWS, StreamDecoder } from '../lines/stream-decoder.ts';
import {
  checkStreamFormat,
  createFraming,
  noMetadata,
  skipsEmptyRecords,
  streamOptions,
} from '../lines/stream-format.ts';
import { socketErrors } from './errors.ts';

const options = defineOptions({
  host: { kind: 'string', required: true, doc: 'The server to connect to.', aliases: ['hostname'], scope: 'connector' },
  port: { kind: 'integer', required: true, min: 1, max: 65_535, doc: 'Its port.', scope: 'connector' },
  connectTimeout: {
    kind: 'duration',
    default: '10s',
    doc: 'How long a connection may take to be made.',
    scope: 'connector',
  },
  ...streamOptions,
});
type SocketOptions = OptionValues<typeof options>;

/** Bytes that may wait to be decoded; while more wait, the socket is not read, and TCP makes the sender wait. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Lines that a server sends over TCP. For trying things out: what is lost on the way cannot be read again. */
export const socketSource: SourceConnector = Object.freeze({
  kind: 'source',
  name: 'socket',
  doc: 'Reads lines from a TCP server until it closes the connection.',
  options,
  formatUse: 'required',
  example: 'host: localhost\nport: 9999\nformat: raw',
  metadata: {},
  deadLetters: false,
  fixedSchema: () => null,
  isBounded: () => false,
  check: (spec) => checkStreamFormat(spec.format),
  createEnumerator: (spec) => new OneSplit(spec.options),
  createReader: (spec) => new SocketReader(spec),
} satisfies SourceConnector);

class OneSplit implements SplitEnumerator {
  readonly discoveryIntervalMs = null;
  readonly #options: SocketOptions;
  #found = false;

  constructor(given: Options) {
    this.#options = given as SocketOptions;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  discover(): Promise<readonly Split[]> {
    const { host, port } = this.#options;
    const splits = this.#found ? [] : [{ id: splitId(`${host}:${port}`), position: { host, port }, racks: [] }];
    this.#found = true;
    return Promise.resolve(splits);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class SocketReader implements SourceReader {
  readonly #spec: SourceSpec;
  readonly #batch: ColumnBatch;
  #context: ReaderContext | null = null;
  #bytesIn: Counter = { value: 0 };
  #splits: readonly Split[] = [];
  #decoder: StreamDecoder | null = null;
  #socket: Socket | null = null;
  #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #noMoreSplits = false;
  #hasEnded = false;
  #failure: { readonly error: unknown } | null = null;
  #isClosed = false;
  /** Those who wait for bytes, and for room. */
  #readers: (() => void)[] = [];
  #roomy: (() => void) | null = null;

  constructor(spec: SourceSpec) {
    this.#spec = spec;
    this.#batch = new ColumnBatch(emittedSchema(spec), STREAM_BATCH_ROWS);
  }

  open(context: ReaderContext): Promise<void> {
    this.#context = context;
    this.#bytesIn = context.counter(counterNames.bytesIn.name);
    return Promise.resolve();
  }

  addSplits(splits: readonly Split[]): void {
    if (splits.length === 0 || this.#context === null) return;
    this.#splits = splits;
    const { host, port, maxRecord } = this.#spec.options as SocketOptions;
    const format = formatNamed(this.#spec.format);
    this.#decoder = new StreamDecoder(
      format.createDecoder(this.#spec, noMetadata),
      createFraming(this.#spec),
      {
        name: `${host}:${port}`,
        maxRecordBytes: maxRecord,
        skipsEmpty: skipsEmptyRecords(format),
        schema: emittedSchema(this.#spec),
        offset: 0,
      },
      this.#context.counter(counterNames.recordsIn.name),
    );
    void this.#receive(this.#context);
  }

  get batchSplit(): SplitId | null {
    return this.#splits[0]?.id ?? null;
  }

  noMoreSplits(): void {
    this.#noMoreSplits = true;
    this.#wake();
  }

  /** Reads the socket to its end; what goes wrong is kept for available(). */
  async #receive(context: ReaderContext): Promise<void> {
    try {
      this.#socket = await this.#connect(context);
      for (;;) {
        const bytes = await this.#read(this.#socket);
        if (bytes === null) break;
        this.#bytesIn.value += bytes.length;
        this.#chunks.push(bytes);
        this.#waitingBytes += bytes.length;
        this.#wake();
        if (this.#waitingBytes > MAX_WAITING_BYTES) await new Promise<void>((resolve) => (this.#roomy = resolve));
      }
      this.#hasEnded = true;
    } catch (error) {
      if (this.#isClosed) this.#hasEnded = true;
      else this.#failure = { error };
    }
    this.#wake();
  }

  async #connect(context: ReaderContext): Promise<Socket> {
    const { host, port, connectTimeout } = this.#spec.options as SocketOptions;
    try {
      const socket = await context.ports.network.connect(host, port, connectTimeout);
      if (this.#isClosed) socket.close();
      return socket;
    } catch (error) {
      throw socketErrors.create('MR-SOCKET-CONNECT', { host, port, problem: problemOf(error) }, error);
    }
  }

  async #read(socket: Socket): Promise<Uint8Array | null> {
    const { host, port } = this.#spec.options as SocketOptions;
    try {
      return await socket.read();
    } catch (error) {
      throw socketErrors.create('MR-SOCKET-BROKEN', { host, port, problem: problemOf(error) }, error);
    }
  }

  poll(): ColumnBatch | null {
    const decoder = this.#decoder;
    if (decoder === null || this.#context === null) return null;
    for (;;) {
      if (decoder.poll(this.#batch, this.#context.errors)) {
        if (this.#batch.rowCount > 0) return this.#batch;
        continue;
      }
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) this.#push(decoder, chunk);
      else if (this.#hasEnded && !decoder.hasEnded) decoder.end();
      else return null;
    }
  }

  #push(decoder: StreamDecoder, chunk: Uint8Array): void {
    decoder.push(chunk);
    this.#waitingBytes -= chunk.length;
    if (this.#waitingBytes <= MAX_WAITING_BYTES) {
      this.#roomy?.();
      this.#roomy = null;
    }
  }

  async available(): Promise<void> {
    while (this.#chunks.length === 0 && !this.#mayEnd) {
      if (this.#failure !== null) throw this.#failure.error;
      await new Promise<void>((resolve) => this.#readers.push(resolve));
    }
  }

  /** There is something to notice for poll() or isFinished. */
  get #mayEnd(): boolean {
    if (this.#isClosed) return true;
    return this.#decoder === null ? this.#noMoreSplits
      : this.#hasEnded && !(this.#decoder.isDone && !this.#noMoreSplits);
  }

  #wake(): void {
    const waiting = this.#readers;
    this.#readers = [];
    for (const resolve of waiting) resolve();
  }

  get isFinished(): boolean {
    return this.#noMoreSplits && (this.#decoder === null || this.#decoder.isDone);
  }

  positions(): readonly Split[] {
    return this.#splits;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#socket?.close();
    this.#roomy?.();
    this.#wake();
    return Promise.resolve();
  }
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node reports a refused name with several addresses as an AggregateError without a message.
  const causes = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  return error.message === '' && causes.length > 0 ? causes.map(problemOf).join(', ') : error.message;
}
