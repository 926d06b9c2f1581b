import type RocksDB from 'rocksdb-native';
import type { Batch } from 'rocksdb-native';

import type {
  FileSystem,
  FrozenSpill,
  KeyRange,
  OpenFile,
  Ports,
  SpilledEntry,
  SpillLog,
  SpillSpace,
  SpillStore,
} from '../../core/index.ts';
import { messageOf } from '../../core/index.ts';
import { stateErrors } from '../errors.ts';

/** Keys that are read at a time: some milliseconds of the thread. */
const READ_KEYS = 1024;
/** As many entries of a scan come at a time: the thread spends some microseconds on each. */
const SCANNED_AT_ONCE = 512;
/** Of a store's memory: RocksDB has two of its write buffers, and its block cache. */
const WRITE_BUFFERS = 2;
const BLOCK_CACHE_BYTES = 32 * 1024 * 1024;
const MIN_WRITE_BUFFER_BYTES = 256 * 1024;
const MAX_WRITE_BUFFER_BYTES = 16 * 1024 * 1024;

export interface SpillPlace {
  /** Absolute. Nobody else's; need not exist. */
  readonly directory: string;
  /** What the operator may hold in memory. */
  readonly memoryBytes: number;
  readonly takesCheckpoints: boolean;
  readonly ports: Pick<Ports, 'files'>;
}

/** Room on the local disk for the entries of one operator. */
export function spillSpace({ directory, memoryBytes, takesCheckpoints, ports: { files } }: SpillPlace): SpillSpace {
  const writeBufferSize = Math.floor(
    Math.max(MIN_WRITE_BUFFER_BYTES, Math.min(MAX_WRITE_BUFFER_BYTES, memoryBytes / 16)),
  );
  return {
    memoryBytes,
    takesCheckpoints,
    storeBytes: writeBufferSize * WRITE_BUFFERS + Math.min(BLOCK_CACHE_BYTES, memoryBytes / 8),
    open: () =>
      guarded(directory, async () => {
        await files.remove(directory);
        await files.makeDirectory(directory);
        // Megabytes of native code, which other jobs do not need.
        const { default: Database } = await import('rocksdb-native');
        const database = new Database(`${directory}/store`, {
          writeBufferSize,
          maxBackgroundJobs: 2,
          // Nothing is read after a crash.
          avoidFlushDuringShutdown: true,
        });
        await database.ready();
        return new RocksStore(database, directory, files);
      }),
  };
}

/** The only user of RocksDB (docs/design/015). What the disk refuses is MR-STATE-SPILL. */
class RocksStore implements SpillStore {
  readonly #database: RocksDB;
  readonly #directory: string;
  readonly #files: FileSystem;
  readonly #logs = new Set<FileLog>();
  #logCount = 0;
  #isClosed = false;

  constructor(database: RocksDB, directory: string, files: FileSystem) {
    this.#database = database;
    this.#directory = directory;
    this.#files = files;
  }

  read(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | null)[]> {
    return guarded(this.#directory, async () => {
      const values: Promise<Uint8Array | null>[] = [];
      for (let first = 0; first < keys.length; first += READ_KEYS) {
        const batch = this.#database.read({ capacity: READ_KEYS, autoDestroy: true });
        for (const key of keys.slice(first, first + READ_KEYS)) values.push(batch.get(key));
        batch.tryFlush();
      }
      return await Promise.all(values);
    });
  }

  write(entries: readonly SpilledEntry[]): Promise<void> {
    return this.#change(entries, (batch, { key, value }) => {
      batch.tryPut(key, value);
    });
  }

  remove(keys: readonly Uint8Array[]): Promise<void> {
    return this.#change(keys, (batch, key) => {
      batch.tryDelete(key);
    });
  }

  removeRanges(ranges: readonly KeyRange[]): Promise<void> {
    return this.#change(ranges, (batch, { from, below }) => {
      batch.tryDeleteRange(from, below);
    });
  }

  /** One operation for each, all of them at once. */
  #change<T>(each: readonly T[], operate: (batch: Batch, one: T) => void): Promise<void> {
    return guarded(this.#directory, async () => {
      const batch = this.#database.write({ capacity: Math.max(1, each.length), autoDestroy: true });
      for (const one of each) operate(batch, one);
      await batch.flush();
    });
  }

  scan(from: Uint8Array, below: Uint8Array, limit: number): Promise<readonly SpilledEntry[]> {
    return scanOf(this.#database, this.#directory, from, below, limit);
  }

  freeze(): FrozenSpill {
    const session = this.#database.snapshot();
    const directory = this.#directory;
    let isClosed = false;
    return {
      scan: (from, below, limit) => scanOf(session, directory, from, below, limit),
      close: () => {
        if (isClosed) return;
        isClosed = true;
        // It can only fail where the whole store is closed, and then it is gone.
        session.close().catch(() => undefined);
      },
    };
  }

  createLog(): Promise<SpillLog> {
    const path = `${this.#directory}/changes-${this.#logCount++}`;
    return guarded(path, async () => {
      const log = new FileLog(await this.#files.open(path, 'create-new'), path, this.#files);
      this.#logs.add(log);
      return {
        append: (bytes) => log.append(bytes),
        read: (position, length) => log.read(position, length),
        remove: async () => {
          this.#logs.delete(log);
          await log.remove();
        },
      };
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await guarded(this.#directory, async () => {
      await this.#database.close({ force: true });
      for (const log of this.#logs) await log.remove();
      await this.#files.remove(this.#directory);
    });
  }
}

function scanOf(
  session: RocksDB,
  directory: string,
  from: Uint8Array,
  below: Uint8Array,
  limit: number,
): Promise<readonly SpilledEntry[]> {
  return guarded(directory, async () => {
    const entries: SpilledEntry[] = [];
    const range = { gte: from, lt: below, limit };
    const capacity = Math.min(limit, SCANNED_AT_ONCE);
    for await (const entry of session.iterator(range, { capacity })) entries.push(entry);
    return entries;
  });
}

class FileLog {
  readonly #written: OpenFile;
  readonly #path: string;
  readonly #files: FileSystem;
  #reading: Promise<OpenFile> | null = null;

  constructor(file: OpenFile, path: string, files: FileSystem) {
    this.#written = file;
    this.#path = path;
    this.#files = files;
  }

  append(bytes: Uint8Array): Promise<void> {
    return guarded(this.#path, () => this.#written.append(bytes));
  }

  read(position: number, length: number): Promise<Uint8Array> {
    return guarded(this.#path, async () => {
      this.#reading ??= this.#files.open(this.#path, 'read');
      const file = await this.#reading;
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const count = await file.read(bytes.subarray(done), length - done, position + done);
        if (count === 0) throw new Error('it has become shorter');
        done += count;
      }
      return bytes;
    });
  }

  remove(): Promise<void> {
    return guarded(this.#path, async () => {
      await this.#written.close();
      await (await this.#reading)?.close();
      await this.#files.remove(this.#path);
    });
  }
}

async function guarded<T>(place: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw stateErrors.create('MR-STATE-SPILL', { place, reason: reasonOf(error) }, error);
  }
}

/** RocksDB's own words stand in the cause. */
function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
}
