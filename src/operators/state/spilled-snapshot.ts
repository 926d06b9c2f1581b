import type { FrozenSpill, StateChunk, StateSnapshot } from '../../core/index.ts';
import type { SpanLog } from './change-log.ts';
import { behind, firstKeyOf } from './spill-keys.ts';

/** What is read of the store at a time: the way there and back is long, while the thread is busy with rows. */
const SCANNED_BYTES = 512 * 1024;
const FEWEST_SCANNED = 16;
const MOST_SCANNED = 4096;

export interface SpilledSnapshotParts {
  /** What is in memory, as far as it belongs to the snapshot. */
  readonly slots: StateSnapshot;
  /** The store as it was; null where nothing of it is wanted. */
  readonly frozen: FrozenSpill | null;
  /** Key groups that are read from the store. */
  readonly whole: readonly number[];
  /** What has left memory since the snapshot that this one builds on. */
  readonly logs: readonly SpanLog[];
  /** Of an entry of the store: whether its time was over when the snapshot was begun. */
  isExpired(value: Uint8Array): boolean;
  onReleased(): void;
  onConfirmed(): void;
}

/**
 * Chunks of slots come first, since they would have to be copied wherever a batch changes one. Then those of the store
 * and of the logs, which are older: what a slot says counts.
 */
export class SpilledSnapshot implements StateSnapshot {
  readonly #parts: SpilledSnapshotParts;
  readonly #whole: ReadonlySet<number>;
  #hasSlots = true;
  /** The next chunk; undefined before it is known. */
  #prepared: StateChunk | null | undefined;
  #group = 0;
  /** Entries that are asked for, by what those before took. */
  #limit = FEWEST_SCANNED;
  #from: Uint8Array | null = null;
  #log = 0;
  #chunk = 0;
  #isReleased = false;

  constructor(parts: SpilledSnapshotParts) {
    this.#parts = parts;
    this.#whole = new Set(parts.whole);
  }

  ready(): Promise<void> | undefined {
    if (this.#prepared !== undefined) return undefined;
    if (this.#hasSlots) {
      this.#prepared = this.#parts.slots.next() ?? undefined;
      if (this.#prepared !== undefined) return undefined;
      this.#hasSlots = false;
    }
    return this.#prepare();
  }

  next(): StateChunk | null {
    const chunk = this.#prepared;
    if (chunk === undefined) throw new Error('a snapshot was not asked whether it is ready');
    this.#prepared = undefined;
    return chunk === null ? null : { ...chunk, replaces: true };
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#parts.slots.release();
    for (const log of this.#parts.logs) log.forgetRead();
    this.#parts.frozen?.close();
    this.#parts.onReleased();
  }

  confirm(): void {
    this.#parts.onConfirmed();
  }

  async #prepare(): Promise<void> {
    this.#prepared = (await this.#scan()) ?? (await this.#readLog());
  }

  /** The next entries of the store; null once there are no more. */
  async #scan(): Promise<StateChunk | null> {
    const { frozen, whole } = this.#parts;
    if (frozen === null) return null;
    while (!this.#isReleased && this.#group < whole.length) {
      const keyGroup = whole[this.#group] as number;
      const limit = this.#limit;
      const found = await frozen.scan(this.#from ?? firstKeyOf(keyGroup), firstKeyOf(keyGroup + 1), limit);
      const last = found.at(-1);
      if (last === undefined || found.length < limit) {
        this.#group++;
        this.#from = null;
      } else {
        this.#from = behind(last.key);
      }
      const values = found.map(({ value }) => value).filter((value) => !this.#parts.isExpired(value));
      if (values.length === 0) continue;
      const bytes = Buffer.concat(values);
      const fitting = Math.floor((SCANNED_BYTES * values.length) / Math.max(1, bytes.length));
      this.#limit = Math.max(FEWEST_SCANNED, Math.min(MOST_SCANNED, fitting));
      return { keyGroup, bytes, isOlder: true };
    }
    return null;
  }

  async #readLog(): Promise<StateChunk | null> {
    const { logs } = this.#parts;
    for (; !this.#isReleased && this.#log < logs.length; this.#log++, this.#chunk = 0) {
      logs[this.#log - 1]?.forgetRead();
      const log = logs[this.#log] as SpanLog;
      while (this.#chunk < log.chunkCount) {
        const chunk = log.chunk(this.#chunk++);
        // All of these are in the store.
        if (!this.#whole.has(chunk.keyGroup)) {
          return { keyGroup: chunk.keyGroup, bytes: await log.read(chunk), isOlder: true };
        }
      }
    }
    return null;
  }
}
