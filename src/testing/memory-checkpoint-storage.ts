import { checkpointDirectory, crc32c, metadataFileName, stateFileName } from '../core/index.ts';
import type {
  CheckpointMetadata,
  CheckpointStorage,
  StateFile,
  StateFileReader,
  StateFileWriter,
} from '../core/index.ts';
import { stateErrors } from '../state/index.ts';

/** Checkpoints in memory. */
export class MemoryCheckpointStorage implements CheckpointStorage {
  readonly #files = new Map<string, Uint8Array>();
  readonly #metadata = new Map<string, CheckpointMetadata>();
  #count = 0;
  /** Called before metadata is written; what it throws is what the write rejects with. */
  beforeMetadata: ((metadata: CheckpointMetadata) => void | Promise<void>) | null = null;

  createFile(checkpointId: number, owner: string): Promise<StateFileWriter> {
    const name = stateFileName(checkpointId, owner, this.#random());
    const parts: Uint8Array[] = [];
    let position = 0;
    const append = (bytes: Uint8Array): Promise<number> => {
      const at = position;
      // Not slice(): a Buffer's is a view.
      parts.push(Uint8Array.from(bytes));
      position += bytes.length;
      return Promise.resolve(at);
    };
    const finish = (): Promise<StateFile> => {
      const bytes = Buffer.concat(parts);
      this.#files.set(name, bytes);
      return Promise.resolve(describe(name, bytes));
    };
    return Promise.resolve({ append, finish, abort: () => Promise.resolve() });
  }

  async openFile(file: StateFile): Promise<StateFileReader> {
    const bytes = this.#checked(file);
    return {
      read: (position, length) => Promise.resolve(bytes.slice(position, position + length)),
      close: () => Promise.resolve(),
    };
  }

  async writeMetadata(metadata: CheckpointMetadata): Promise<StateFile> {
    await this.beforeMetadata?.(metadata);
    const name = metadataFileName(metadata.checkpointId, metadata.generation, this.#random());
    const bytes = Buffer.from(JSON.stringify(metadata));
    this.#files.set(name, bytes);
    this.#metadata.set(name, structuredClone(metadata));
    return describe(name, bytes);
  }

  async readMetadata(file: StateFile): Promise<CheckpointMetadata> {
    this.#checked(file);
    const metadata = this.#metadata.get(file.name);
    if (metadata === undefined) throw damaged(file.name, 'it is no metadata');
    return structuredClone(metadata);
  }

  /** `location` is a checkpoint's id or a metadata file's name. */
  async findMetadata(location: string): Promise<StateFile> {
    const directory = `${checkpointDirectory(Number(location))}/`;
    const name = [...this.#metadata.keys()].findLast((each) => each === location || each.startsWith(directory));
    const bytes = name === undefined ? undefined : this.#files.get(name);
    if (name === undefined || bytes === undefined) {
      throw stateErrors.create('MR-STATE-NOT-FOUND', { location, reason: 'nothing was written there' });
    }
    return describe(name, bytes);
  }

  async remove(name: string): Promise<void> {
    this.#files.delete(name);
    this.#metadata.delete(name);
  }

  async list(): Promise<readonly string[]> {
    return [...this.#files.keys()].sort();
  }

  bytesOf(name: string): Uint8Array {
    return Uint8Array.from(this.#files.get(name) ?? []);
  }

  /** Changes a file behind everybody's back. */
  replace(name: string, bytes: Uint8Array): void {
    this.#files.set(name, Uint8Array.from(bytes));
  }

  /** Changes one bit of a file. */
  damage(name: string): void {
    const bytes = this.#files.get(name);
    if (bytes !== undefined) this.#files.set(name, bytes.with(0, (bytes[0] ?? 0) ^ 1));
  }

  #checked(file: StateFile): Uint8Array {
    const bytes = this.#files.get(file.name);
    if (bytes === undefined) throw damaged(file.name, 'it is missing');
    if (describe(file.name, bytes).checksum !== file.checksum) throw damaged(file.name, 'its checksum differs');
    return bytes;
  }

  #random(): string {
    return (++this.#count).toString(16).padStart(16, '0');
  }
}

function describe(name: string, bytes: Uint8Array): StateFile {
  return { name, sizeBytes: bytes.length, checksum: (crc32c(bytes) >>> 0).toString(16).padStart(8, '0') };
}

function damaged(file: string, reason: string): Error {
  return stateErrors.create('MR-STATE-DAMAGED', { file, reason });
}
