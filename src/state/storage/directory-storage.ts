import { isAbsolute, join, relative, resolve } from 'node:path';

import {
  checkpointIdOf,
  coreErrors,
  isCheckpointDirectory,
  makeDurableDirectory,
  metadataFileName,
  stateFileName,
  type CheckpointMetadata,
  type CheckpointStorage,
  type EnvelopeKind,
  type FileSystem,
  type Ports,
  type StateFile,
  type StateFileObserver,
  type StateFileReader,
  type StateFileWriter,
} from '../../core/index.ts';
import {
  checkFile,
  damaged,
  METADATA_ENVELOPE,
  observed,
  openExisting,
  readPart,
  STATE_ENVELOPE,
  type Content,
} from './checked-file.ts';
import { chooseMetadata } from './choose-metadata.ts';
import { FileWriter, type NewFile } from './file-writer.ts';
import { readMetadataFile, relocated, writeMetadataFile, type FoundMetadata } from './metadata-file.ts';
import { storageFailure } from './storage-failure.ts';

export type StoragePorts = Pick<Ports, 'files' | 'randomness'>;

const RANDOM_BYTES = 8;

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

  async openFile(file: StateFile, observe?: StateFileObserver): Promise<StateFileReader> {
    const path = this.#pathOf(file.name);
    return this.#reading(path, async () => {
      const opened = await openExisting(this.#files, path);
      try {
        await checkFile(observed(opened, observe), path, STATE_ENVELOPE, file);
      } catch (error) {
        await opened.close();
        throw error;
      }
      return {
        read: (position: number, length: number) =>
          this.#reading(path, () => readPart(opened, path, file.sizeBytes, { position, length })),
        close: () => opened.close(),
      };
    });
  }

  async writeMetadata(metadata: CheckpointMetadata): Promise<StateFile> {
    const { checkpointId, generation } = metadata;
    return writeMetadataFile(metadata, () =>
      this.#create(metadataFileName(checkpointId, generation, this.#random()), METADATA_ENVELOPE),
    );
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

  #readMetadata(path: string, expected: Content | null): Promise<FoundMetadata> {
    return this.#reading(path, async () => {
      const opened = await openExisting(this.#files, path);
      try {
        const likelySize = (expected ?? (await this.#files.stat(path)))?.sizeBytes;
        return await readMetadataFile(opened, path, expected, likelySize);
      } finally {
        await opened.close();
      }
    });
  }

  async #locateMetadata(path: string): Promise<string> {
    if ((await this.#files.stat(path)) !== null) return path;
    const entry = chooseMetadata(path, await this.#files.list(path));
    const inside = join(path, entry);
    return isCheckpointDirectory(entry) ? this.#locateMetadata(inside) : inside;
  }

  async #reading<T>(path: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw storageFailure(error, 'read', path);
    }
  }
}
