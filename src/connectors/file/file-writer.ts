import { EncodedBlock } from '../../core/index.ts';
import type { CommittingPart, OpenFile, RunIdentity, SinkSpec, WriterContext } from '../../core/index.ts';
import { csvDialect, csvHeader, formatNamed } from '../formats/index.ts';
import { LineWriter } from '../lines/line-writer.ts';
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

export class FileWriter extends LineWriter {
  readonly #directory: string;
  #context: WriterContext | null = null;
  #file: LineFile | null = null;
  committing: CommittingPart | undefined;

  constructor(spec: SinkSpec) {
    super(spec, formatNamed(spec.format));
    this.#directory = (spec.options as FileSinkOptions).path;
  }

  async open(context: WriterContext): Promise<void> {
    this.#context = context;
    this.begin(context, CHUNK_BYTES, (bytes) => this.#guard(async () => this.#file?.append(bytes)));
    if (deliversExactlyOnce(this.spec.options)) this.#file = this.#openCheckpointed(context);
    else this.#file = await this.#guard(() => this.#openPlain(context));
  }

  /** Goes on behind what is there. A line that a crash has cut off ends, so that it spoils no other. */
  async #openPlain({ subtaskIndex, ports: { files } }: WriterContext): Promise<OpenFile> {
    const path = `${this.#directory}/${partFile(subtaskIndex, this.format.name)}`;
    const sizeBytes = (await files.stat(path))?.sizeBytes ?? 0;
    const file = await files.open(path, 'append');
    if (sizeBytes === 0) await file.append(this.#header());
    else if (!(await endsLine(await files.open(path, 'read'), sizeBytes))) {
      await file.append(Uint8Array.of(LINE_FEED));
    }
    return file;
  }

  #openCheckpointed({ run, subtaskIndex, ports }: WriterContext): LineFile {
    const files = new CheckpointedFiles(
      {
        directory: this.#directory,
        stepId: this.spec.stepId,
        subtaskIndex,
        format: this.format.name,
        run: requireRun(run),
        header: this.#header(),
      },
      ports,
    );
    this.committing = committingFiles(files, () => super.flush(), (work) => this.#guard(work));
    // Durable is what prepareCommit() has made so.
    return { append: (bytes) => files.append(bytes), sync: () => Promise.resolve(), close: () => files.close() };
  }

  #header(): Uint8Array {
    if (this.format.framing !== 'csv') return new Uint8Array(0);
    const dialect = csvDialect(this.spec.format?.options ?? {});
    if (!dialect.header) return new Uint8Array(0);
    const block = new EncodedBlock(1, 256);
    csvHeader(this.spec.input.fields, dialect, block);
    return Buffer.concat([block.data.subarray(0, block.used), Uint8Array.of(LINE_FEED)]);
  }

  #guard<T>(work: () => Promise<T>): Promise<T> {
    const { subtaskIndex } = this.#context as WriterContext;
    return describeWriteErrors(`${this.#directory}/${partFile(subtaskIndex, this.format.name)}`, work);
  }

  override async flush(): Promise<void> {
    await super.flush();
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
