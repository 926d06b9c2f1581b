/**
 * The copies of state files that one slot keeps of one job, and how much they may take (docs/design/024). One thread
 * has it. Nothing here rejects: what cannot be copied is not.
 */
import {
  checkpointDirectory,
  checkpointIdOf,
  isCheckpointDirectory,
  messageOf,
  TEMPORARY_SUFFIX,
  type FileSystem,
  type OpenFile,
  type Ports,
} from '../../core/index.ts';

const RANDOM_BYTES = 8;

export interface CopyFolderOptions {
  /** Absolute. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly ports: Pick<Ports, 'files' | 'randomness'>;
  /** Told in words why something is not copied. */
  readonly onProblem: (problem: string) => void;
}

export class CopyFolder {
  readonly directory: string;
  readonly #options: CopyFolderOptions;
  readonly #files: FileSystem;
  /** Of the copies that are finished, by the names of their files. */
  readonly #sizes = new Map<string, number>();
  /** With those that are being written. */
  #usedBytes = 0;
  /** By checkpoint: the files that the slot's tasks have named for it. */
  readonly #named = new Map<number, Set<string>>();
  #listed: Promise<void> | null = null;

  constructor(options: CopyFolderOptions) {
    this.#options = options;
    this.directory = options.directory;
    this.#files = options.ports.files;
  }

  /** A copy that grows; null where none can be made, or `sizeBytes`, where that is known, do not fit. */
  async begin(checkpointId: number, sizeBytes = 0): Promise<GrowingCopy | null> {
    await this.#list();
    if (this.#usedBytes + sizeBytes > this.#options.maxBytes) {
      this.problem('there is no room for another one');
      return null;
    }
    const directory = `${this.directory}/${checkpointDirectory(checkpointId)}`;
    const path = `${directory}/${this.#options.ports.randomness.hex(RANDOM_BYTES)}${TEMPORARY_SUFFIX}`;
    try {
      await this.#files.makeDirectory(directory);
      return new GrowingCopy(this, path, await this.#files.open(path, 'create-new'));
    } catch (error) {
      this.problem(messageOf(error));
      return null;
    }
  }

  /** These files belong to a checkpoint that the slot's tasks take part in, or are restored from. */
  name(checkpointId: number, files: readonly string[]): void {
    const named = this.#named.get(checkpointId) ?? new Set();
    for (const file of files) named.add(file);
    this.#named.set(checkpointId, named);
  }

  /** Nothing before this checkpoint is restored any more. Resolves when what nobody names is gone. */
  async completed(checkpointId: number): Promise<void> {
    for (const id of this.#named.keys()) if (id < checkpointId) this.#named.delete(id);
    await this.#sweep((id) => id <= checkpointId);
  }

  async aborted(checkpointId: number): Promise<void> {
    this.#named.delete(checkpointId);
    await this.#sweep((id) => id === checkpointId);
  }

  async remove(name: string): Promise<void> {
    const sizeBytes = this.#sizes.get(name);
    if (sizeBytes === undefined) return;
    this.#sizes.delete(name);
    this.free(sizeBytes);
    const path = `${this.directory}/${name}`;
    try {
      await this.#files.remove(path);
      await this.#files.removeEmptyDirectory(path.slice(0, path.lastIndexOf('/')));
    } catch (error) {
      this.problem(messageOf(error));
    }
  }

  /** Called by a copy: whether so many bytes more fit. */
  take(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.#options.maxBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  free(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  /** Called by a copy that has its name. */
  finished(name: string, sizeBytes: number): void {
    this.free(this.#sizes.get(name) ?? 0);
    this.#sizes.set(name, sizeBytes);
  }

  problem(reason: string): void {
    this.#options.onProblem(reason);
  }

  get files(): FileSystem {
    return this.#files;
  }

  async #sweep(isOver: (checkpointId: number) => boolean): Promise<void> {
    await this.#list();
    const needed = new Set([...this.#named.values()].flatMap((names) => [...names]));
    const over = [...this.#sizes.keys()].filter((name) => !needed.has(name) && isOver(checkpointIdOf(name) ?? 0));
    await Promise.all(over.map((name) => this.remove(name)));
  }

  /** Finds what earlier threads of the slot have left, once. */
  #list(): Promise<void> {
    this.#listed ??= this.#find().catch((error: unknown) => {
      this.problem(messageOf(error));
    });
    return this.#listed;
  }

  async #find(): Promise<void> {
    for (const directory of (await this.#files.list(this.directory)).filter(isCheckpointDirectory)) {
      for (const entry of await this.#files.list(`${this.directory}/${directory}`)) {
        const name = `${directory}/${entry}`;
        const path = `${this.directory}/${name}`;
        if (entry.endsWith(TEMPORARY_SUFFIX)) await this.#files.remove(path);
        else {
          const sizeBytes = (await this.#files.stat(path))?.sizeBytes ?? 0;
          this.#usedBytes += sizeBytes;
          this.#sizes.set(name, sizeBytes);
        }
      }
    }
  }
}

/** A copy that has no name yet. Its calls follow each other. */
export class GrowingCopy {
  readonly #folder: CopyFolder;
  readonly #path: string;
  readonly #file: OpenFile;
  #sizeBytes = 0;
  #state: 'growing' | 'dropped' | 'finished' = 'growing';
  /** The last append: a copy that is dropped meanwhile closes its file after it. */
  #work: Promise<void> = Promise.resolve();

  constructor(folder: CopyFolder, path: string, file: OpenFile) {
    this.#folder = folder;
    this.#path = path;
    this.#file = file;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get isGrowing(): boolean {
    return this.#state === 'growing';
  }

  /** The bytes are free when it resolves. */
  async append(bytes: Uint8Array): Promise<void> {
    if (!this.isGrowing) return;
    if (!this.#folder.take(bytes.length)) {
      await this.drop('there is no room for all of it');
      return;
    }
    this.#sizeBytes += bytes.length;
    let failure: unknown = null;
    this.#work = this.#file.append(bytes).catch((error: unknown) => {
      failure = error;
    });
    await this.#work;
    if (failure !== null) await this.drop(messageOf(failure));
  }

  /** Gives it the name of its file. False where there is no copy. */
  async finish(name: string): Promise<boolean> {
    if (!this.isGrowing) return false;
    const { files, directory } = this.#folder;
    try {
      await this.#file.close();
      await files.rename(this.#path, `${directory}/${name}`);
    } catch (error) {
      await this.drop(messageOf(error));
      return false;
    }
    this.#state = 'finished';
    this.#folder.finished(name, this.#sizeBytes);
    return true;
  }

  /** Nothing is left of it. Without a reason because nobody wants it. */
  async drop(reason: string | null = null): Promise<void> {
    if (!this.isGrowing) return;
    this.#state = 'dropped';
    if (reason !== null) this.#folder.problem(reason);
    await this.#work;
    await this.#file.close().catch(() => undefined);
    await this.#folder.files.remove(this.#path).catch(() => undefined);
    this.#folder.free(this.#sizeBytes);
  }
}
