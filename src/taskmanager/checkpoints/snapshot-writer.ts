/**
 * Writes what a subtask's operators remembered when a barrier passed, and the rows that it overtook, while the subtask
 * goes on: chunks are taken in short slices, whenever the loop has a turn for it, gathered, and appended to one file.
 */
import type {
  ChannelStateHandle,
  CheckpointStorage,
  Clock,
  InFlightRoute,
  OperatorStateHandle,
  StateFile,
  StateFileWriter,
  StateSchema,
  StateSnapshot,
} from '../../core/index.ts';
import { stepId } from '../../core/index.ts';
import type { Runnable, TaskLoop } from '../task-loop.ts';
import type { InFlightRows } from './in-flight-rows.ts';

/** Chunks are gathered to about so much before they are appended. */
const BUFFER_BYTES = 256 * 1024;
/** With turns that are shorter than those of batches a checkpoint comes late. */
const TURN_MS = 4;

/** What one operator remembered. */
export interface OperatorCapture {
  readonly stepId: string;
  readonly schema: StateSchema;
  readonly snapshot: StateSnapshot;
  /** Handles of earlier files that still count, where the snapshot holds only what has changed since. */
  readonly kept?: readonly OperatorStateHandle[];
}

export interface WrittenState {
  readonly operators: readonly OperatorStateHandle[];
  readonly channels: readonly ChannelStateHandle[];
  readonly sizeBytes: number;
}

export interface SnapshotSurroundings {
  readonly storage: CheckpointStorage;
  /** Goes into the names of files. */
  readonly owner: string;
  readonly loop: TaskLoop;
  readonly clock: Clock;
}

/** One snapshot of one subtask, on its way to a file. */
export class SnapshotWriter implements Runnable {
  readonly turnMs = TURN_MS;
  readonly checkpointId: number;
  /** Rejects where the state could not be written; resolves to null after abandon(). */
  readonly result: Promise<WrittenState | null>;
  readonly #captures: readonly OperatorCapture[];
  readonly #rows: InFlightRows;
  readonly #around: SnapshotSurroundings;
  /** Of each channel that something was overtaken in: position and length of each batch. */
  readonly #batches = new Map<InFlightRoute, number[]>();
  /** Per capture: key group, position and length of each chunk; of those that are restored first, and of others. */
  readonly #olderChunks: number[][];
  readonly #chunks: number[][];
  #file: StateFileWriter | null = null;
  #buffer = new Uint8Array(0);
  #filledBytes = 0;
  /** The chunks in the buffer: index of the capture, and of the chunk's position, which is that in the buffer yet. */
  #gathered: { readonly chunks: number[]; readonly at: number }[] = [];
  #current = 0;
  #writtenBytes = 0;
  /** What is being done to the file. */
  #work: Promise<void> = Promise.resolve();
  #isWaiting = false;
  #isReleased = false;
  #isFinishing = false;
  #hasEnded = false;
  #resolve: (state: WrittenState | null) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(
    checkpointId: number,
    captures: readonly OperatorCapture[],
    rows: InFlightRows,
    around: SnapshotSurroundings,
  ) {
    this.checkpointId = checkpointId;
    this.#captures = captures;
    this.#rows = rows;
    rows.onChange = () => {
      if (!this.#hasEnded) around.loop.wake(this);
    };
    this.#around = around;
    this.#olderChunks = captures.map(() => []);
    this.#chunks = captures.map(() => []);
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    around.loop.wake(this);
  }

  /** Called by the loop. */
  run(deadlineMs: number): void {
    if (this.#hasEnded || this.#isWaiting) return;
    try {
      for (let state = this.#takeChunk(); state !== 'end'; state = this.#takeChunk()) {
        if (state === 'reading') return;
        if (this.#filledBytes >= BUFFER_BYTES) {
          this.#append(false);
          return;
        }
        if (this.#around.clock.monotonicMs() < deadlineMs) continue;
        this.#around.loop.wake(this);
        return;
      }
      this.#releaseAll();
      // What was overtaken may still be coming.
      if (this.#rows.isComplete) this.#append(true);
      else if (this.#filledBytes > 0) this.#append(false);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Nobody wants it any more. False where it is written, or has failed, already. */
  abandon(): boolean {
    if (this.#hasEnded) return false;
    this.#resolve(null);
    this.#drop();
    return true;
  }

  /** Gathers the next chunk, if it need not be read first. */
  #takeChunk(): 'taken' | 'reading' | 'end' {
    for (; this.#current < this.#captures.length; this.#current++) {
      const { snapshot } = this.#captures[this.#current] as OperatorCapture;
      const reading = snapshot.ready?.();
      if (reading !== undefined) {
        this.#isWaiting = true;
        this.#goOnAfter(reading);
        return 'reading';
      }
      const chunk = snapshot.next();
      if (chunk === null) continue;
      const chunks = (chunk.isOlder === true ? this.#olderChunks : this.#chunks)[this.#current] as number[];
      chunks.push(chunk.keyGroup);
      this.#gather(chunk.bytes, chunks);
      return 'taken';
    }
    const overtaken = this.#rows.next();
    if (overtaken === null) return 'end';
    const { route, frame } = overtaken;
    const batches = this.#batches.get(route) ?? [];
    this.#batches.set(route, batches);
    this.#gather(new Uint8Array(frame), batches);
    return 'taken';
  }

  /** Adds bytes to the buffer, and their position and length to `places`. */
  #gather(bytes: Uint8Array, places: number[]): void {
    this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#filledBytes);
    this.#gathered.push({ chunks: places, at: places.length });
    places.push(this.#filledBytes, bytes.length);
    this.#filledBytes += bytes.length;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#filledBytes + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, Math.min(this.#buffer.length * 2, BUFFER_BYTES), 4096));
    larger.set(this.#buffer.subarray(0, this.#filledBytes));
    this.#buffer = larger;
  }

  #append(isLast: boolean): void {
    this.#isWaiting = true;
    if (isLast) this.#releaseAll();
    this.#work = isLast ? this.#finish() : this.#appendBuffer();
    this.#goOnAfter(this.#work);
  }

  #goOnAfter(work: Promise<void>): void {
    work.then(
      () => {
        this.#isWaiting = false;
        if (!this.#hasEnded) this.#around.loop.wake(this);
      },
      (error: unknown) => {
        this.#fail(error);
      },
    );
  }

  async #appendBuffer(): Promise<void> {
    if (this.#filledBytes === 0) return;
    this.#file ??= await this.#around.storage.createFile(this.checkpointId, this.#around.owner);
    if (this.#hasEnded) return;
    const position = await this.#file.append(this.#buffer.subarray(0, this.#filledBytes));
    for (const { chunks, at } of this.#gathered) chunks[at] = (chunks[at] as number) + position;
    this.#writtenBytes += this.#filledBytes;
    this.#gathered = [];
    this.#filledBytes = 0;
  }

  async #finish(): Promise<void> {
    await this.#appendBuffer();
    if (this.#isOver()) return;
    this.#isFinishing = true;
    // Where nothing is remembered there is no file.
    const file = (await this.#file?.finish()) ?? null;
    if (this.#isOver()) {
      if (file !== null) await this.#around.storage.remove(file.name);
      return;
    }
    this.#hasEnded = true;
    const operators = this.#captures.flatMap((_, index) => this.#handlesOf(index, file));
    this.#resolve({ operators, channels: this.#channels(file), sizeBytes: this.#writtenBytes });
  }

  #handlesOf(index: number, file: StateFile | null): readonly OperatorStateHandle[] {
    const { snapshot, schema, kept = [], stepId: step } = this.#captures[index] as OperatorCapture;
    const chunks = [...(this.#olderChunks[index] as number[]), ...(this.#chunks[index] as number[])];
    const isChange = snapshot.confirm !== undefined;
    const order = isChange ? { order: this.checkpointId } : {};
    const hasOwn = file !== null && chunks.length > 0;
    const own = hasOwn ? [{ stepId: stepId(step), schema, file, chunks, ...order }] : [];
    return isChange ? [...kept, ...own] : own;
  }

  #channels(file: StateFile | null): readonly ChannelStateHandle[] {
    if (file === null) return [];
    return [...this.#batches].map(([route, batches]) => ({ ...route, file, batches }));
  }

  /** It may be abandoned while something is awaited. */
  #isOver(): boolean {
    return this.#hasEnded;
  }

  #fail(error: unknown): void {
    if (this.#hasEnded) return;
    this.#reject(error);
    this.#drop();
  }

  #drop(): void {
    this.#hasEnded = true;
    this.#releaseAll();
    this.#rows.abandon();
    const abort = (): void => {
      // What cannot be removed either is found by the cleaning up of files that no pointer names.
      if (!this.#isFinishing) this.#file?.abort().catch(() => undefined);
    };
    this.#work.then(abort, abort);
  }

  #releaseAll(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    for (const { snapshot } of this.#captures) snapshot.release();
  }
}
