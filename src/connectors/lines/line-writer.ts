import { counterNames } from '../../core/index.ts';
import type {
  ColumnBatch,
  Counter,
  FormatDefinition,
  RecordErrorHandler,
  SinkSpec,
  SinkWriter,
  WriterContext,
} from '../../core/index.ts';
import { ChunkedOutput } from './chunked-output.ts';
import { LineEncoder, type LineDecoration } from './line-encoder.ts';

/** What exists from begin() on. */
interface Begun {
  readonly output: ChunkedOutput;
  readonly lines: LineEncoder;
  readonly errors: RecordErrorHandler;
  readonly recordsOut: Counter;
}

/** A sink's writer that makes a line of every row. Subclasses know where lines go; their open() calls begin(). */
export abstract class LineWriter implements SinkWriter {
  protected readonly spec: SinkSpec;
  protected readonly format: FormatDefinition;
  #begun: Begun | null = null;

  constructor(spec: SinkSpec, format: FormatDefinition) {
    this.spec = spec;
    this.format = format;
  }

  abstract open(context: WriterContext): Promise<void>;

  protected begin(
    context: WriterContext,
    chunkBytes: number,
    send: (bytes: Uint8Array) => Promise<void>,
    decoration: LineDecoration | null = null,
  ): void {
    const bytesOut = context.counter(counterNames.bytesOut.name);
    const output = new ChunkedOutput(chunkBytes, async (bytes) => {
      bytesOut.value += bytes.length;
      await send(bytes);
    });
    const encoder = this.format.createEncoder(this.spec, this.spec.input.fields.map((_, index) => index));
    const lines = new LineEncoder(encoder, output, decoration);
    this.#begun = { output, lines, errors: context.errors, recordsOut: context.counter(counterNames.recordsOut.name) };
  }

  write(batch: ColumnBatch, fromRow: number): number {
    if (this.#begun === null) return fromRow;
    const { lines, errors, recordsOut } = this.#begun;
    return lines.write(batch, fromRow, this.spec.stepId, errors, recordsOut);
  }

  writable(): Promise<void> {
    return this.#begun?.output.roomy() ?? Promise.resolve();
  }

  poke(): void {
    this.#begun?.output.start();
  }

  flush(): Promise<void> {
    return this.#begun?.output.flush() ?? Promise.resolve();
  }

  abstract close(): Promise<void>;
}
