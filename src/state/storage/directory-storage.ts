import { isAbsolute, join, relative, resolve } from 'node:path';

import {
  checkpointIdOf,
  coreErrors,
  isCheckpointDirectory,
  makeDurableDirectory,
  METADATA_SUFFIX,
  metadataFileName,
  stateFileName,
  type CheckpointMetadata,
  type CheckpointStorage,
  type EnvelopeKind,
  type FileSystem,
  type Ports,
  type StateFile,
  type StateFileReader,
  type StateFileWriter,
} from '../../core/index.ts';
import { stateErrors } from '../errors.ts';
import {
  checkFile,
  damaged,
  METADATA_ENVELOPE,
  openExisting,
  readFully,
  STATE_ENVELOPE,
  type Content,
} from './checked-file.ts';
import { FileWriter, type NewFile } from './file-writer.ts';
import { decodeMetadata, encodeMetadata, relocated } from './metadata-file.ts';
import { storageFailure } from './storage-failure.ts';

export type StoragePorts = Pick<Ports, 'files' | 'randomness'>;

const RANDOM_BYTES = 8;
/** Far above what metadata takes; a larger file is not held in memory. */
const MAX_METADATA_BYTES = 1024 * 1024 * 1024;

/** In messages. */
const MAX_NAMES = 10;

/** Checkpoints in a directory that every process of the job sees (docs/design/010). */
export class DirectoryStorage implements CheckpointStorage {
  readonly #root: string;
  readonly #files: FileSystem;
  readonly #ports: StoragePorts;
  /** Set once the root is there and durable. */
  #isReady = false;

  constructor(root: string, ports: StoragePorts) {
    this.#root = root;
    this.#files = ports.files;
    this.#ports = ports;
  }

  createFile(checkpointId: number, owner: string): Promise<StateFileWriter> {
    return this.#create(stateFileName(checkpointId, owner, this.#random()), STATE_ENVELOPE);
  }

  async openFile(file: StateFile): Promise<StateFileReader> {
    const path = this.#pathOf(file.name);
    return this.#reading(path, async () => {
      const opened = await openExisting(this.#files, path);
      try {
        await checkFile(opened, path, STATE_ENVELOPE, file);
      } catch (error) {
        await opened.close();
        throw error;
      }
      return {
        read: (position: number, length: number) =>
          this.#reading(path, async () => {
            if (position + length > file.sizeBytes) throw damaged(path, 'a chunk lies behind its end');
            const bytes = new Uint8Array(length);
            if ((await readFully(opened, bytes, position)) < length) throw damaged(path, 'it has become shorter');
            return bytes;
          }),
        close: () => opened.close(),
      };
    });
  }

  async writeMetadata(metadata: CheckpointMetadata): Promise<StateFile> {
    const { checkpointId, generation } = metadata;
    const body = encodeMetadata(metadata);
    const writer = await this.#create(metadataFileName(checkpointId, generation, this.#random()), METADATA_ENVELOPE);
    try {
      await writer.append(body);
    } catch (error) {
      await writer.abort();
      throw error;
    }
    return writer.finish();
  }

  async readMetadata(file: StateFile): Promise<CheckpointMetadata> {
    const path = this.#pathOf(file.name);
    const { metadata } = await this.#readMetadata(path, file);
    return isAbsolute(file.name) ? relocated(metadata, path) : metadata;
  }

  async findMetadata(location: string): Promise<StateFile> {
    const path = await this.#reading(location, () => this.#locateMetadata(resolve(location)));
    const { content } = await this.#readMetadata(path, null);
    const inside = relative(this.#root, path);
    return { name: checkpointIdOf(inside) === null ? path : inside, ...content };
  }

  async remove(name: string): Promise<void> {
    if (checkpointIdOf(name) === null) {
      throw coreErrors.create('MR-INTERNAL', { message: `${name} is not a file of the checkpoints in ${this.#root}` });
    }
    const path = join(this.#root, name);
    try {
      await this.#files.remove(path);
      await this.#files.removeEmptyDirectory(join(path, '..'));
    } catch (error) {
      throw storageFailure(error, 'remove', path);
    }
  }

  list(): Promise<readonly string[]> {
    return this.#reading(this.#root, async () => {
      const names: string[] = [];
      for (const directory of await this.#files.list(this.#root)) {
        if (!isCheckpointDirectory(directory)) continue;
        for (const file of await this.#files.list(join(this.#root, directory))) {
          const name = `${directory}/${file}`;
          if (checkpointIdOf(name) !== null) names.push(name);
        }
      }
      return names.sort();
    });
  }

  #random(): string {
    return this.#ports.randomness.hex(RANDOM_BYTES);
  }

  async #create(name: string, kind: EnvelopeKind): Promise<FileWriter> {
    const target: NewFile = { root: this.#root, name, kind };
    if (!this.#isReady) {
      try {
        await makeDurableDirectory(this.#files, this.#root);
      } catch (error) {
        throw storageFailure(error, 'create', this.#root);
      }
      this.#isReady = true;
    }
    return FileWriter.create(this.#files, target);
  }

  /** Absolute names belong to checkpoints that an operator has pointed to; all others are made here. */
  #pathOf(name: string): string {
    if (isAbsolute(name)) return name;
    const path = join(this.#root, name);
    if (checkpointIdOf(name) === null) throw damaged(path, 'this is not a name that a checkpoint has');
    return path;
  }

  #readMetadata(
    path: string,
    expected: Content | null,
  ): Promise<{ readonly metadata: CheckpointMetadata; readonly content: Content }> {
    return this.#reading(path, async () => {
      const opened = await openExisting(this.#files, path);
      try {
        const likelySize = (expected ?? (await this.#files.stat(path)))?.sizeBytes;
        const content = await checkFile(opened, path, METADATA_ENVELOPE, expected, likelySize);
        if (content.sizeBytes > MAX_METADATA_BYTES) throw damaged(path, `it has ${content.sizeBytes} bytes`);
        const bytes = new Uint8Array(content.sizeBytes);
        if ((await readFully(opened, bytes, 0)) < bytes.length) throw damaged(path, 'it has become shorter');
        return { metadata: decodeMetadata(bytes, path), content };
      } finally {
        await opened.close();
      }
    });
  }

  async #locateMetadata(path: string): Promise<string> {
    if ((await this.#files.stat(path)) !== null) return path;
    const entries = [...(await this.#files.list(path))].sort();
    const found = entries.filter((name) => name.endsWith(METADATA_SUFFIX));
    if (found.length === 1) return join(path, found[0] as string);
    const checkpoints = entries.filter(isCheckpointDirectory);
    // As the directory of a savepoint does.
    const [only] = checkpoints;
    if (found.length === 0 && only !== undefined && checkpoints.length === 1) {
      return this.#locateMetadata(join(path, only));
    }
    const reason =
      found.length > 1
        ? `it has several, name one: ${shorten(found)}`
        : checkpoints.length > 0
          ? `it holds checkpoints, name one: ${shorten(checkpoints)}`
          : entries.length > 0
            ? `nothing in it ends with ${METADATA_SUFFIX}; it holds ${shorten(entries)}`
            : 'there is no such directory, or it is empty';
    throw stateErrors.create('MR-STATE-NOT-FOUND', { location: path, reason });
  }

  async #reading<T>(path: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw storageFailure(error, 'read', path);
    }
  }
}

function shorten(names: readonly string[]): string {
  return names.slice(0, MAX_NAMES).join(', ') + (names.length > MAX_NAMES ? ', …' : '');
}
