import {
  crc32c,
  ENVELOPE_HEADER_BYTES,
  envelopeHeader,
  envelopeTrailer,
  type EnvelopeKind,
  isMillraceError,
  type FileSystem,
  type OpenFile,
  type StateFile,
  type StateFileWriter,
  systemErrorCode,
  TEMPORARY_SUFFIX,
} from '../../core/index.ts';
import { checkFile, checksumText, openExisting } from './checked-file.ts';
import { storageFailure } from './storage-failure.ts';

/** Two of these per file that is being written. */
const BUFFER_BYTES = 512 * 1024;

const CREATE_ATTEMPTS = 3;

export interface NewFile {
  /** Absolute; is there, durably. */
  readonly root: string;
  /** `chk-<id>/<file>`: used by nobody else, ever. */
  readonly name: string;
  readonly kind: EnvelopeKind;
}

/**
 * Writes one file under a temporary name and publishes it in finish(): docs/design/010, Writing. While the system
 * writes one buffer, append() fills the other.
 */
export class FileWriter implements StateFileWriter {
  readonly #files: FileSystem;
  readonly #target: NewFile;
  readonly #path: string;
  readonly #file: OpenFile;
  #filling: Uint8Array = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #idle: Uint8Array | null = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #filled = 0;
  /** Settles when #idle may be filled again; never rejects. */
  #writing: Promise<void> = Promise.resolve();
  #failure: Error | null = null;
  #sizeBytes = 0;
  #checksum = 0;
  #isOpen = true;

  private constructor(files: FileSystem, target: NewFile, path: string, file: OpenFile) {
    this.#files = files;
    this.#target = target;
    this.#path = path;
    this.#file = file;
  }

  static async create(files: FileSystem, target: NewFile): Promise<FileWriter> {
    const path = `${target.root}/${target.name}`;
    try {
      const file = await createWithDirectory(files, path + TEMPORARY_SUFFIX);
      const writer = new FileWriter(files, target, path, file);
      await writer.append(envelopeHeader(target.kind));
      return writer;
    } catch (error) {
      throw storageFailure(error, 'create', path);
    }
  }

  async append(bytes: Uint8Array): Promise<number> {
    const position = this.#sizeBytes;
    for (let from = 0; from < bytes.length; ) {
      if (this.#failure !== null) throw this.#failure;
      const count = Math.min(bytes.length - from, BUFFER_BYTES - this.#filled);
      this.#filling.set(bytes.subarray(from, from + count), this.#filled);
      this.#filled += count;
      this.#sizeBytes += count;
      from += count;
      if (this.#filled === BUFFER_BYTES) await this.#flush();
    }
    return position;
  }

  async finish(): Promise<StateFile> {
    const temporary = this.#path + TEMPORARY_SUFFIX;
    try {
      await this.#flush();
      await this.append(envelopeTrailer(this.#sizeBytes - ENVELOPE_HEADER_BYTES, this.#checksum));
      await this.#flush();
      await this.#writing;
      if (this.#failure !== null) throw this.#failure;
      await this.#file.sync();
      await this.#close();
      const content = { sizeBytes: this.#sizeBytes, checksum: checksumText(this.#checksum) };
      await this.#readBack(temporary, content);
      await this.#files.rename(temporary, this.#path);
      await this.#files.syncDirectory(directoryOf(this.#path));
      await this.#files.syncDirectory(this.#target.root);
      return { name: this.#target.name, ...content };
    } catch (error) {
      await this.#discard();
      throw storageFailure(error, 'write', this.#path);
    }
  }

  async abort(): Promise<void> {
    await this.#writing;
    await this.#discard();
  }

  /** Hands what is filled to the system; waits only for what was handed over before. */
  async #flush(): Promise<void> {
    await this.#writing;
    if (this.#failure !== null) throw this.#failure;
    const full = this.#filling.subarray(0, this.#filled);
    if (full.length === 0) return;
    this.#checksum = crc32c(full, this.#checksum);
    const spare = this.#idle;
    if (spare === null) throw new Error('a buffer is used twice');
    this.#idle = null;
    const written = this.#filling;
    this.#filling = spare;
    this.#filled = 0;
    this.#writing = this.#file.append(full).then(
      () => {
        this.#idle = written;
      },
      (error: unknown) => {
        this.#failure = storageFailure(error, 'write', this.#path);
      },
    );
  }

  async #readBack(path: string, content: { readonly sizeBytes: number; readonly checksum: string }): Promise<void> {
    const file = await openExisting(this.#files, path);
    try {
      await checkFile(file, path, this.#target.kind, content);
    } catch (error) {
      // No damage that anybody has to mend: the file is not in use yet.
      const reason = isMillraceError(error) ? String(error.fields['reason']) : null;
      throw reason === null ? error : new Error(`it does not read back as written: ${reason}`);
    } finally {
      await file.close();
    }
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close();
  }

  /** Under neither name; what cannot be removed is found by a listing later. */
  async #discard(): Promise<void> {
    const attempts = [
      () => this.#close(),
      () => this.#files.remove(this.#path + TEMPORARY_SUFFIX),
      () => this.#files.remove(this.#path),
    ];
    for (const attempt of attempts) await attempt().catch(() => undefined);
  }
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

async function createWithDirectory(files: FileSystem, path: string): Promise<OpenFile> {
  for (let attempt = 1; ; attempt++) {
    await files.makeDirectory(directoryOf(path));
    try {
      return await files.open(path, 'create-new');
    } catch (error) {
      // Somebody who cleans up may just have removed the empty directory.
      if (systemErrorCode(error) !== 'ENOENT' || attempt === CREATE_ATTEMPTS) throw error;
    }
  }
}
