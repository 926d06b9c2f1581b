import { filesOf, orphans } from '../../core/index.ts';
import type { CheckpointMetadata, CheckpointPointer, CheckpointStorage, Clock } from '../../core/index.ts';
import type { JobRecord } from '../../ha/index.ts';
import { dueFiles, namedFiles, withoutTombstones, withTombstones } from './job-record.ts';

/** Which files the completed checkpoints of a record need, and removing those that nothing needs any more. */
export class RetainedFiles {
  readonly #storage: CheckpointStorage;
  readonly #clock: Clock;
  /** By checkpoint; missing where its metadata could not be read. */
  readonly #files = new Map<number, readonly string[]>();
  readonly #removed = new Set<string>();

  constructor(storage: CheckpointStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  get files(): ReadonlyMap<number, readonly string[]> {
    return this.#files;
  }

  add(pointer: CheckpointPointer, metadata: CheckpointMetadata): void {
    this.#files.set(pointer.checkpointId, filesOf(pointer, metadata));
  }

  /** Learns what the record's checkpoints need, and forgets the others. */
  async learn(record: JobRecord): Promise<void> {
    const ids = new Set(record.checkpoints.map(({ checkpointId }) => checkpointId));
    for (const id of [...this.#files.keys()]) if (!ids.has(id)) this.#files.delete(id);
    for (const pointer of record.checkpoints) {
      if (this.#files.has(pointer.checkpointId)) continue;
      try {
        this.add(pointer, await this.#storage.readMetadata(pointer.metadata));
      } catch {
        // Nobody starts from it now. What it needs is not known, so nothing is taken for an orphan meanwhile.
      }
    }
  }

  /**
   * The record with what aborted checkpoints and dead processes have left as tombstones. `firstLiveId` is the first
   * checkpoint that the present execution may write for.
   */
  async withOrphans(record: JobRecord, firstLiveId: number): Promise<JobRecord> {
    if (record.checkpoints.some(({ checkpointId }) => !this.#files.has(checkpointId))) return record;
    const named = namedFiles(record.checkpoints, this.#files);
    const names = orphans(await this.#storage.list(), named, firstLiveId);
    return withTombstones(record, names, named, this.#clock.nowMs());
  }

  /** Removes files whose time has come. Those that cannot be removed now stay in the record. */
  async sweep(record: JobRecord): Promise<void> {
    const named = namedFiles(record.checkpoints, this.#files);
    for (const name of dueFiles(record, named, this.#clock.nowMs())) {
      try {
        await this.#storage.remove(name);
        this.#removed.add(name);
      } catch {
        // Tried again next time.
      }
    }
  }

  /** The record without tombstones that are done with. */
  swept(record: JobRecord): JobRecord {
    return withoutTombstones(record, this.#removed, namedFiles(record.checkpoints, this.#files));
  }
}
