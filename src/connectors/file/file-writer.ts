import { counterNames, EncodedBlock } from '../../core/index.ts';
import type {
  ColumnBatch,
  CommittingPart,
  Counter,
  FormatDefinition,
  OpenFile,
  RunIdentity,
  SinkSpec,
  SinkWriter,
  WriterContext,
} from '../../core/index.ts';
import { csvDialect, csvHeader, formatNamed } from '../formats/index.ts';
import { ChunkedOutput } from '../lines/chunked-output.ts';
import { LineEncoder } from '../lines/line-encoder.ts';
import { CheckpointedFiles, committingFiles } from './checkpointed-files.ts';
import { describeWriteErrors } from './errors.ts';
import { deliversExactlyOnce, type FileSinkOptions } from './file-sink-options.ts';
import { partFile } from './part-files.ts';

const CHUNK_BYTES = 256 * 1024;
const LINE_FEED = 0x0a;

/** Where a subtask's lines go: one file, or one per checkpoint. */
interface LineFile {
  append(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export class FileWriter implements SinkWriter {
  readonly #spec: SinkSpec;
  readonly #format: FormatDefinition;
  readonly #directory: string;
  #context: WriterContext | null = null;
  #file: LineFile | null = null;
  #output: ChunkedOutput | null = null;
  #lines: LineEncoder | null = null;
  #recordsOut: Counter = { value: 0 };
  committing: CommittingPart | undefined;

  constructor(spec: SinkSpec) {
    this.#spec = spec;
    this.#format = formatNamed(spec.format);
    this.#directory = (spec.options as FileSinkOptions).path;
  }

  async open(context: WriterContext): Promise<void> {
    this.#context = context;
    this.#recordsOut = context.counter(counterNames.recordsOut.name);
    const bytesOut = context.counter(counterNames.bytesOut.name);
    const output = new ChunkedOutput(CHUNK_BYTES, async (bytes) => {
      bytesOut.value += bytes.length;
      await this.#guard(async () => this.#file?.append(bytes));
    });
    if (deliversExactlyOnce(this.#spec.options)) this.#file = this.#openCheckpointed(context, output);
    else this.#file = await this.#guard(() => this.#openPlain(context));
    const indexes = this.#spec.input.fields.map((_, index) => index);
    this.#output = output;
    this.#lines = new LineEncoder(this.#format.createEncoder(this.#spec, indexes), output);
  }

  /** Goes on behind what is there. A line that a crash has cut off ends, so that it spoils no other. */
  async #openPlain({ subtaskIndex, ports: { files } }: WriterContext): Promise<OpenFile> {
    const path = `${this.#directory}/${partFile(subtaskIndex, this.#format.name)}`;
    const sizeBytes = (await files.stat(path))?.sizeBytes ?? 0;
    const file = await files.open(path, 'append');
    if (sizeBytes === 0) await file.append(this.#header());
    else if (!(await endsLine(await files.open(path, 'read'), sizeBytes))) {
      await file.append(Uint8Array.of(LINE_FEED));
    }
    return file;
  }

  #openCheckpointed({ run, subtaskIndex, ports }: WriterContext, output: ChunkedOutput): LineFile {
    const files = new CheckpointedFiles(
      {
        directory: this.#directory,
        stepId: this.#spec.stepId,
        subtaskIndex,
        format: this.#format.name,
        run: requireRun(run),
        header: this.#header(),
      },
      ports,
    );
    this.committing = committingFiles(files, () => output.flush(), (work) => this.#guard(work));
    // Durable is what prepareCommit() has made so.
    return { append: (bytes) => files.append(bytes), sync: () => Promise.resolve(), close: () => files.close() };
  }

  #header(): Uint8Array {
    if (this.#format.framing !== 'csv') return new Uint8Array(0);
    const dialect = csvDialect(this.#spec.format?.options ?? {});
    if (!dialect.header) return new Uint8Array(0);
    const block = new EncodedBlock(1, 256);
    csvHeader(this.#spec.input.fields, dialect, block);
    return Buffer.concat([block.data.subarray(0, block.used), Uint8Array.of(LINE_FEED)]);
  }

  #guard<T>(work: () => Promise<T>): Promise<T> {
    const { subtaskIndex } = this.#context as WriterContext;
    return describeWriteErrors(`${this.#directory}/${partFile(subtaskIndex, this.#format.name)}`, work);
  }

  write(batch: ColumnBatch, fromRow: number): number {
    if (this.#lines === null || this.#context === null) return fromRow;
    return this.#lines.write(batch, fromRow, this.#spec.stepId, this.#context.errors, this.#recordsOut);
  }

  writable(): Promise<void> {
    return this.#output?.roomy() ?? Promise.resolve();
  }

  poke(): void {
    this.#output?.start();
  }

  async flush(): Promise<void> {
    await this.#output?.flush();
    await this.#guard(async () => this.#file?.sync());
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }
}

export function requireRun(run: RunIdentity | null): RunIdentity {
  if (run === null) throw new TypeError('a job without checkpoints has nothing to commit');
  return run;
}

async function endsLine(file: OpenFile, sizeBytes: number): Promise<boolean> {
  const last = new Uint8Array(1);
  try {
    await file.read(last, 1, sizeBytes - 1);
  } finally {
    await file.close();
  }
  return last[0] === LINE_FEED;
}
