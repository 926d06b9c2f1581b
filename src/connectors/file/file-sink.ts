import { counterNames, defineOptions, EncodedBlock, isMillraceError } from '../../core/index.ts';
import type {
  ColumnBatch,
  ConnectorContext,
  Counter,
  FormatDefinition,
  OpenFile,
  OptionValues,
  SinkConnector,
  SinkSpec,
  SinkWriter,
  WriterContext,
} from '../../core/index.ts';
import { csvDialect, csvHeader, formatNamed } from '../formats/index.ts';
import { ChunkedOutput } from '../lines/chunked-output.ts';
import { LineEncoder } from '../lines/line-encoder.ts';
import { checkStreamFormat } from '../lines/stream-format.ts';
import { fileErrors } from './errors.ts';

const options = defineOptions({
  path: {
    kind: 'string',
    required: true,
    doc: 'The directory to write to; it is made if it is not there. Subtask N writes `part-N` with a suffix.',
    scope: 'connector',
  },
  overwrite: {
    kind: 'boolean',
    default: false,
    doc: 'Deletes the part files that are in the directory first; otherwise their presence is an error.',
    scope: 'connector',
  },
});
type FileSinkOptions = OptionValues<typeof options>;

/** Lines in files, one file per subtask. */
export const fileSink: SinkConnector = Object.freeze({
  kind: 'sink',
  name: 'file',
  doc: 'Writes records as lines of files, one file per subtask.',
  options,
  formatUse: 'required',
  example: 'path: out\nformat: json',
  acceptedModes: () => ['append'],
  check: (spec) => checkStreamFormat(spec.format),
  prepare: prepareDirectory,
  createWriter: (spec) => new FileWriter(spec),
} satisfies SinkConnector);

async function prepareDirectory(spec: SinkSpec, context: ConnectorContext): Promise<void> {
  const { path, overwrite } = spec.options as FileSinkOptions;
  const { files } = context.ports;
  try {
    await files.makeDirectory(path);
    const present = await files.glob(`${escapeGlob(path)}/part-*`);
    const [first] = present;
    if (first !== undefined && !overwrite) throw fileErrors.create('MR-FILE-EXISTS', { path, file: first.path });
    for (const file of present) await files.remove(file.path);
  } catch (error) {
    throw writeError(path, error);
  }
}

/** The path as a pattern for nothing but itself. */
function escapeGlob(path: string): string {
  return path.replace(/[*?[\]{}]/g, '[$&]');
}

function writeError(path: string, error: unknown): unknown {
  if (isMillraceError(error)) return error;
  const problem = error instanceof Error ? error.message : String(error);
  return fileErrors.create('MR-FILE-WRITE', { path, problem }, error);
}

const SUFFIXES: Readonly<Record<string, string>> = { json: '.jsonl', csv: '.csv', raw: '.txt' };
const CHUNK_BYTES = 256 * 1024;

class FileWriter implements SinkWriter {
  readonly #spec: SinkSpec;
  readonly #format: FormatDefinition;
  #context: WriterContext | null = null;
  #path = '';
  #file: OpenFile | null = null;
  #output: ChunkedOutput | null = null;
  #lines: LineEncoder | null = null;
  #recordsOut: Counter = { value: 0 };

  constructor(spec: SinkSpec) {
    this.#spec = spec;
    this.#format = formatNamed(spec.format);
  }

  async open(context: WriterContext): Promise<void> {
    const { path } = this.#spec.options as FileSinkOptions;
    this.#context = context;
    this.#path = `${path}/part-${context.subtaskIndex}${SUFFIXES[this.#format.name] ?? ''}`;
    this.#recordsOut = context.counter(counterNames.recordsOut.name);
    const bytesOut = context.counter(counterNames.bytesOut.name);
    const output = new ChunkedOutput(CHUNK_BYTES, async (bytes) => {
      bytesOut.value += bytes.length;
      await this.#guard(async () => this.#file?.append(bytes));
    });
    await this.#guard(async () => {
      const present = await context.ports.files.stat(this.#path);
      this.#file = await context.ports.files.open(this.#path, 'append');
      if (present === null || present.sizeBytes === 0) this.#writeHeader(output);
    });
    const indexes = this.#spec.input.fields.map((_, index) => index);
    this.#output = output;
    this.#lines = new LineEncoder(this.#format.createEncoder(this.#spec, indexes), output);
  }

  #writeHeader(output: ChunkedOutput): void {
    if (this.#format.framing !== 'csv') return;
    const dialect = csvDialect(this.#spec.format?.options ?? {});
    if (!dialect.header) return;
    const block = new EncodedBlock(1, 256);
    csvHeader(this.#spec.input.fields, dialect, block);
    const at = output.reserve(block.used + 1);
    output.bytes.set(block.data.subarray(0, block.used), at);
    output.bytes[at + block.used] = 0x0a;
    output.advance(block.used + 1);
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw writeError(this.#path, error);
    }
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
