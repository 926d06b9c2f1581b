import { ColumnBatch, counterNames, emittedSchema, splitId } from '../../core/index.ts';
import type {
  Counter,
  ReaderContext,
  SourceReader,
  SourceSpec,
  Split,
  SplitId,
  Timer,
} from '../../core/index.ts';
import { STREAM_BATCH_ROWS } from '../lines/stream-decoder.ts';
import { FileDecoding } from './file-decoding.ts';
import type { FileSourceOptions } from './file-source-options.ts';
import { FollowedFile, type FilePosition } from './followed-file.ts';

/** Pieces of work before poll() gives others a turn. */
const MAX_STEPS = 8;

/**
 * Reads files one after the other; with `follow`, those that have something new. The next chunk of a file is read while
 * the last one is decoded.
 */
export class FileReader implements SourceReader {
  readonly #decoding: FileDecoding;
  readonly #options: FileSourceOptions;
  readonly #batch: ColumnBatch;
  readonly #files: FollowedFile[] = [];
  #context: ReaderContext | null = null;
  #bytesIn: Counter = { value: 0 };
  /** Files that may have something new, from `#next` on. */
  #waiting: FollowedFile[] = [];
  #next = 0;
  /** The file that is being read, or null between two. */
  #current: FollowedFile | null = null;
  /** Read to their ends since takeEndedSplits() was called last. */
  readonly #ended: SplitId[] = [];
  /** With `follow`: when the files are looked at again, or null while there may be something in one of them. */
  #pause: Timer | null = null;
  #noMoreSplits = false;
  #isClosed = false;
  #wake: (() => void)[] = [];

  constructor(spec: SourceSpec) {
    this.#decoding = new FileDecoding(spec);
    this.#options = spec.options as FileSourceOptions;
    this.#batch = new ColumnBatch(emittedSchema(spec), STREAM_BATCH_ROWS);
  }

  open(context: ReaderContext): Promise<void> {
    this.#context = context;
    this.#bytesIn = context.counter(counterNames.bytesIn.name);
    return Promise.resolve();
  }

  addSplits(splits: readonly Split[]): void {
    const context = this.#context;
    if (context === null) return;
    const recordsIn = context.counter(counterNames.recordsIn.name);
    for (const { position } of splits) {
      const { path, inode, offset } = position as { path: string; inode: number; offset: number };
      const at: FilePosition = { path, inode, offset };
      const { follow, maxRecord } = this.#options;
      const counters = { bytesIn: this.#bytesIn, recordsIn };
      const file = new FollowedFile(at, this.#decoding, { follow, maxRecord }, context.ports.files, counters);
      this.#files.push(file);
      this.#waiting.push(file);
    }
    this.#resume();
  }

  noMoreSplits(): void {
    this.#noMoreSplits = true;
    this.#resume();
  }

  poll(): ColumnBatch | null {
    if (this.#context === null) return null;
    for (let step = 0; step < MAX_STEPS; step++) {
      const file = (this.#current ??= this.#takeWaiting());
      if (file === null) {
        this.#startPause();
        return null;
      }
      const outcome = file.poll(this.#batch, this.#context.errors);
      if (outcome === 'rows') return this.#batch;
      if (outcome === 'reading') return null;
      if (outcome === 'exhausted') this.#exhaust(file);
    }
    return null;
  }

  /** The current file: it stays that until the poll after its last batch. */
  get batchSplit(): SplitId | null {
    return this.#current === null ? null : splitId(this.#current.position.path);
  }

  takeEndedSplits(): readonly SplitId[] {
    return this.#ended.splice(0);
  }

  #exhaust(file: FollowedFile): void {
    this.#current = null;
    if (!this.#options.follow) this.#ended.push(splitId(file.position.path));
  }

  #takeWaiting(): FollowedFile | null {
    const file = this.#waiting[this.#next];
    if (file !== undefined) {
      this.#next++;
      return file;
    }
    this.#waiting = [];
    this.#next = 0;
    return null;
  }

  /** All files are read to where they end now: waits, then looks at them again. */
  #startPause(): void {
    const { follow, pollInterval } = this.#options;
    if (!follow || this.#pause !== null || this.#context === null || this.#isClosed) return;
    this.#pause = this.#context.ports.clock.schedule(pollInterval, () => {
      this.#pause = null;
      this.#waiting = [...this.#files];
      this.#next = 0;
      this.#resume();
    });
  }

  async available(): Promise<void> {
    if (this.isFinished || this.#isClosed) return;
    if (this.#current !== null) await this.#current.ready();
    else if (this.#next >= this.#waiting.length) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  #resume(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const resolve of waiting) resolve();
  }

  get isFinished(): boolean {
    const isIdle = this.#current === null && this.#next >= this.#waiting.length;
    return this.#noMoreSplits && !this.#options.follow && isIdle;
  }

  positions(): readonly Split[] {
    return this.#files.map(({ position: { path, inode, offset } }) => ({
      id: splitId(path),
      position: { path, inode, offset },
      racks: [],
    }));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pause?.cancel();
    this.#resume();
    await Promise.all(this.#files.map((file) => file.close()));
  }
}
