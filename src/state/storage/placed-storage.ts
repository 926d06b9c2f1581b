import { isAbsolute } from 'node:path';

import {
  checkpointIdOf,
  isMillraceError,
  isStorageUrl,
  parseStorageLocation,
  type CheckpointMetadata,
  type CheckpointStorage,
  type StateFile,
  type StateFileObserver,
  type StateFileReader,
  type StateFileWriter,
} from '../../core/index.ts';
import { stateErrors } from '../errors.ts';

/** Storages that read what stands at any absolute path, and at any URL; the job's own where that is of the sort. */
export interface AnyPlaceStorages {
  path(): CheckpointStorage;
  s3(): CheckpointStorage;
}

/**
 * The storage of a job, and everything else that its checkpoints may be in: where it kept them before, and whatever an
 * operator points to. All names that it makes itself are used once, ever, so it does not matter where one is found.
 */
export class PlacedStorage implements CheckpointStorage {
  readonly #own: CheckpointStorage;
  readonly #older: readonly CheckpointStorage[];
  readonly #anyPlace: AnyPlaceStorages;

  constructor(own: CheckpointStorage, older: readonly CheckpointStorage[], anyPlace: AnyPlaceStorages) {
    this.#own = own;
    this.#older = older;
    this.#anyPlace = anyPlace;
  }

  createFile(checkpointId: number, owner: string): Promise<StateFileWriter> {
    return this.#own.createFile(checkpointId, owner);
  }

  openFile(file: StateFile, observe?: StateFileObserver): Promise<StateFileReader> {
    return this.#reading(file.name, (storage) => storage.openFile(file, observe));
  }

  writeMetadata(metadata: CheckpointMetadata): Promise<StateFile> {
    return this.#own.writeMetadata(metadata);
  }

  readMetadata(file: StateFile): Promise<CheckpointMetadata> {
    return this.#reading(file.name, (storage) => storage.readMetadata(file));
  }

  async findMetadata(location: string): Promise<StateFile> {
    const parsed = parseStorageLocation(location);
    switch (parsed.kind) {
      case 'unusable':
        throw stateErrors.create('MR-STATE-NOT-FOUND', { location, reason: `it ${parsed.problem}` });
      case 's3':
        return this.#anyPlace.s3().findMetadata(location);
      case 'path':
        return this.#anyPlace.path().findMetadata(location);
    }
  }

  async remove(name: string): Promise<void> {
    await this.#own.remove(name);
    // What stands in a place that is given up, and gone perhaps, need not be tidied up for the job to go on.
    await Promise.allSettled(this.#older.map((storage) => storage.remove(name)));
  }

  async list(): Promise<readonly string[]> {
    const own = await this.#own.list();
    const older = await Promise.all(this.#older.map((storage) => storage.list().catch(() => [])));
    return [...new Set([own, ...older].flat())].sort();
  }

  async #reading<T>(name: string, read: (storage: CheckpointStorage) => Promise<T>): Promise<T> {
    if (checkpointIdOf(name) === null) return read(this.#storageOf(name));
    try {
      return await read(this.#own);
    } catch (error) {
      for (const storage of isDamage(error) ? this.#older : []) {
        try {
          return await read(storage);
        } catch (older) {
          if (!isDamage(older)) throw older;
        }
      }
      throw error;
    }
  }

  /** Of a name that no storage makes. */
  #storageOf(name: string): CheckpointStorage {
    if (isAbsolute(name)) return this.#anyPlace.path();
    const parsed = isStorageUrl(name) ? parseStorageLocation(name) : null;
    return parsed?.kind === 's3' ? this.#anyPlace.s3() : this.#own;
  }
}

function isDamage(error: unknown): boolean {
  return isMillraceError(error) && error.code === 'MR-STATE-DAMAGED';
}
