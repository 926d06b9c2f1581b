import {
  checkpointIdOf,
  crc32c,
  ENVELOPE_HEADER_BYTES,
  envelopeHeader,
  envelopeTrailer,
  messageOf,
  stateFilesOf,
  systemErrorCode,
  type CheckpointMetadata,
  type CheckpointStorage,
  type OpenFile,
  type Ports,
  type StateFile,
  type StateFileReader,
  type StateFileWriter,
  type SubtaskSnapshot,
} from '../../core/index.ts';
import { checkFile, checksumText, readPart, STATE_ENVELOPE } from '../storage/checked-file.ts';
import { CopyFolder, type GrowingCopy } from './copy-folder.ts';

export interface LocalCopiesOptions {
  /** Where all slots of the process keep theirs; absolute. */
  readonly directory: string;
  /** What this slot's part of it is called; and the job's part of that. */
  readonly slot: string;
  readonly job: string;
  /** Of this slot. */
  readonly maxBytes: number;
  readonly storage: CheckpointStorage;
  readonly ports: Pick<Ports, 'files' | 'randomness'>;
  /** Told, in a sentence, what is read from afar or not copied, and why. */
  readonly onProblem: (message: string) => void;
}

/**
 * A storage whose state files are kept on this machine's disk, too, as they are written and read, and are read from
 * there (docs/design/024). Whatever goes wrong with a copy, the file itself is what counts.
 */
export class LocalCopies implements CheckpointStorage {
  readonly #options: LocalCopiesOptions;
  readonly #storage: CheckpointStorage;
  readonly #folder: CopyFolder;
  /** One disk that is full is one line. */
  #saidNotCopied = false;

  constructor(options: LocalCopiesOptions) {
    this.#options = options;
    this.#storage = options.storage;
    const { directory, slot, job, maxBytes, ports } = options;
    this.#folder = new CopyFolder({
      directory: `${directory}/${slot}/${job}`,
      maxBytes,
      ports,
      onProblem: (reason) => {
        if (!this.#saidNotCopied) options.onProblem(`a file of state has no local copy: ${reason}`);
        this.#saidNotCopied = true;
      },
    });
  }

  /** What a task has contributed to a checkpoint, or is restored from. */
  names(checkpointId: number, snapshot: Pick<SubtaskSnapshot, 'operators' | 'channels'>): void {
    this.#folder.name(checkpointId, stateFilesOf(snapshot));
  }

  completed(checkpointId: number): Promise<void> {
    return this.#folder.completed(checkpointId);
  }

  aborted(checkpointId: number): Promise<void> {
    return this.#folder.aborted(checkpointId);
  }

  async createFile(checkpointId: number, owner: string): Promise<StateFileWriter> {
    const copying = this.#folder.begin(checkpointId);
    try {
      const writer = await this.#storage.createFile(checkpointId, owner);
      const copy = await copying;
      return copy === null ? writer : await CopyingWriter.create(writer, copy);
    } catch (error) {
      await (await copying)?.drop();
      throw error;
    }
  }

  async openFile(file: StateFile): Promise<StateFileReader> {
    const checkpointId = checkpointIdOf(file.name);
    if (checkpointId === null) return this.#storage.openFile(file);
    const local = await this.#openCopy(file);
    if (local !== null) return new CopyReader(local, true, () => this.#fromAfar(file));
    const copy = await this.#folder.begin(checkpointId, file.sizeBytes);
    return copy === null ? this.#storage.openFile(file) : this.#openAndCopy(file, copy);
  }

  writeMetadata(metadata: CheckpointMetadata): Promise<StateFile> {
    return this.#storage.writeMetadata(metadata);
  }

  readMetadata(file: StateFile): Promise<CheckpointMetadata> {
    return this.#storage.readMetadata(file);
  }

  findMetadata(location: string): Promise<StateFile> {
    return this.#storage.findMetadata(location);
  }

  async remove(name: string): Promise<void> {
    await this.#folder.remove(name);
    await this.#storage.remove(name);
  }

  list(): Promise<readonly string[]> {
    return this.#storage.list();
  }

  /** Copies what passes by while the file is checked, and reads that from then on. */
  async #openAndCopy(file: StateFile, copy: GrowingCopy): Promise<StateFileReader> {
    let reader: StateFileReader;
    try {
      reader = await this.#storage.openFile(file, async (bytes, position) => {
        // Where the file is looked for elsewhere it begins anew.
        if (position === copy.sizeBytes) await copy.append(bytes);
        else await copy.drop();
      });
    } catch (error) {
      await copy.drop();
      throw error;
    }
    if (copy.sizeBytes !== file.sizeBytes || !(await copy.finish(file.name))) {
      await copy.drop();
      return reader;
    }
    const filled = await this.#openAt(this.#folder.directory, file);
    if (filled === null) return reader;
    await reader.close();
    return new CopyReader(filled, false, () => this.#fromAfar(file));
  }

  async #fromAfar(file: StateFile): Promise<StateFileReader> {
    this.#options.onProblem(`the local copy of ${file.name} cannot be read any more; it is read from afar`);
    return this.#storage.openFile(file);
  }

  /** A copy that is what the file is: this slot's, or that of another slot of the process. */
  async #openCopy(file: StateFile): Promise<CheckedCopy | null> {
    const { directory, slot, job, ports } = this.#options;
    const own = await this.#openAt(this.#folder.directory, file);
    if (own !== null) return own;
    const slots = await ports.files.list(directory).catch(() => []);
    for (const other of slots.filter((name) => name !== slot)) {
      const found = await this.#openAt(`${directory}/${other}/${job}`, file);
      if (found !== null) return found;
    }
    return null;
  }

  async #openAt(directory: string, file: StateFile): Promise<CheckedCopy | null> {
    const path = `${directory}/${file.name}`;
    let opened: OpenFile | null = null;
    try {
      opened = await this.#options.ports.files.open(path, 'read');
      await checkFile(opened, path, STATE_ENVELOPE, file);
      return { path, file, opened };
    } catch (error) {
      if (opened === null && systemErrorCode(error) === 'ENOENT') return null;
      this.#options.onProblem(`a local copy of state is not used: ${messageOf(error)}`);
      await closed(opened);
      if (directory === this.#folder.directory) await this.#folder.remove(file.name);
      return null;
    }
  }
}

/** A copy that was whole when it was opened. */
interface CheckedCopy {
  readonly path: string;
  readonly file: StateFile;
  readonly opened: OpenFile;
}

async function closed(file: OpenFile | null): Promise<void> {
  await file?.close().catch(() => undefined);
}

/** Reads a copy, and the file itself from where the copy fails. */
class CopyReader implements StateFileReader {
  readonly #copy: CheckedCopy;
  /** Else its bytes have just come from afar. */
  readonly #wasThere: boolean;
  readonly #openFile: () => Promise<StateFileReader>;
  #far: StateFileReader | null = null;

  constructor(copy: CheckedCopy, wasThere: boolean, openFile: () => Promise<StateFileReader>) {
    this.#copy = copy;
    this.#wasThere = wasThere;
    this.#openFile = openFile;
  }

  get isLocal(): boolean {
    return this.#wasThere && this.#far === null;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const { path, file, opened } = this.#copy;
    if (this.#far !== null) return this.#far.read(position, length);
    try {
      return await readPart(opened, path, file.sizeBytes, { position, length });
    } catch {
      this.#far = await this.#openFile();
      return this.#far.read(position, length);
    }
  }

  async close(): Promise<void> {
    await closed(this.#copy.opened);
    await this.#far?.close();
  }
}

/** Writes a file and its copy, the same bytes. */
class CopyingWriter implements StateFileWriter {
  readonly #writer: StateFileWriter;
  readonly #copy: GrowingCopy;
  #checksum = 0;

  private constructor(writer: StateFileWriter, copy: GrowingCopy) {
    this.#writer = writer;
    this.#copy = copy;
  }

  static async create(writer: StateFileWriter, copy: GrowingCopy): Promise<CopyingWriter> {
    const copying = new CopyingWriter(writer, copy);
    await copying.#add(envelopeHeader(STATE_ENVELOPE));
    return copying;
  }

  async append(bytes: Uint8Array): Promise<number> {
    const [position] = await Promise.all([this.#writer.append(bytes), this.#add(bytes)]);
    return position;
  }

  async finish(): Promise<StateFile> {
    let file: StateFile;
    try {
      file = await this.#writer.finish();
    } catch (error) {
      await this.#copy.drop();
      throw error;
    }
    await this.#add(envelopeTrailer(this.#copy.sizeBytes - ENVELOPE_HEADER_BYTES, this.#checksum));
    const isSame = this.#copy.sizeBytes === file.sizeBytes && checksumText(this.#checksum) === file.checksum;
    if (isSame) await this.#copy.finish(file.name);
    else await this.#copy.drop();
    return file;
  }

  async abort(): Promise<void> {
    await this.#copy.drop();
    await this.#writer.abort();
  }

  async #add(bytes: Uint8Array): Promise<void> {
    this.#checksum = crc32c(bytes, this.#checksum);
    await this.#copy.append(bytes);
  }
}
