import {
  crc32c,
  type CheckpointMetadata,
  type CheckpointStorage,
  type OpenFile,
  type Ports,
  type StateFile,
  type StateFileReader,
  type StateFileWriter,
} from '../../core/index.ts';
import { stateErrors } from '../errors.ts';

const READ_BYTES = 256 * 1024;

/** Checkpoints in a directory that every process of the job sees. */
export class DirectoryStorage implements CheckpointStorage {
  readonly #root: string;
  readonly #ports: Ports;

  constructor(root: string, ports: Ports) {
    this.#root = root;
    this.#ports = ports;
  }

  createFile(checkpointId: number, owner: string): Promise<StateFileWriter> {
    return this.#create(`chk-${checkpointId}`, `${owner}-${this.#ports.randomness.hex(8)}.state`);
  }

  async openFile(file: StateFile): Promise<StateFileReader> {
    const path = `${this.#root}/${file.name}`;
    const found = await this.#checksum(path);
    if (found.sizeBytes !== file.sizeBytes || found.checksum !== file.checksum) {
      throw stateErrors.create('MR-STATE-DAMAGED', { file: path, reason: 'its size or checksum is wrong' });
    }
    const opened = await this.#ports.files.open(path, 'read');
    return {
      async read(position, length) {
        const bytes = new Uint8Array(length);
        const count = await opened.read(bytes, length, position);
        if (count !== length) throw stateErrors.create('MR-STATE-DAMAGED', { file: path, reason: 'it is short' });
        return bytes;
      },
      close: () => opened.close(),
    };
  }

  async writeMetadata(metadata: CheckpointMetadata): Promise<StateFile> {
    const name = `${metadata.generation}-${this.#ports.randomness.hex(8)}.metadata`;
    const writer = await this.#create(`chk-${metadata.checkpointId}`, name);
    await writer.append(Buffer.from(JSON.stringify(metadata)));
    return writer.finish();
  }

  async readMetadata(file: StateFile): Promise<CheckpointMetadata> {
    const reader = await this.openFile(file);
    const bytes = await reader.read(0, file.sizeBytes);
    await reader.close();
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as CheckpointMetadata;
  }

  async findMetadata(location: string): Promise<StateFile> {
    const name = (await this.#ports.files.list(location)).find((entry) => entry.endsWith('.metadata'));
    if (name === undefined) {
      throw stateErrors.create('MR-STATE-NOT-FOUND', { location, reason: 'no metadata is there' });
    }
    return { name: `${location}/${name}`, ...(await this.#checksum(`${location}/${name}`)) };
  }

  remove(name: string): Promise<void> {
    return this.#ports.files.remove(`${this.#root}/${name}`);
  }

  async list(): Promise<readonly string[]> {
    const names: string[] = [];
    for (const directory of await this.#ports.files.list(this.#root)) {
      const files = await this.#ports.files.list(`${this.#root}/${directory}`);
      names.push(...files.map((name) => `${directory}/${name}`));
    }
    return names;
  }

  async #create(directory: string, fileName: string): Promise<StateFileWriter> {
    const files = this.#ports.files;
    const name = `${directory}/${fileName}`;
    const path = `${this.#root}/${name}`;
    await files.makeDirectory(`${this.#root}/${directory}`);
    const opened: OpenFile = await files.open(`${path}.tmp`, 'create-new');
    let sizeBytes = 0;
    let checksum = 0;
    return {
      append: async (bytes) => {
        const position = sizeBytes;
        checksum = crc32c(bytes, checksum);
        sizeBytes += bytes.length;
        await opened.append(bytes);
        return position;
      },
      finish: async () => {
        await opened.sync();
        await opened.close();
        const found = await this.#checksum(`${path}.tmp`);
        if (found.sizeBytes !== sizeBytes || found.checksum !== hexadecimal(checksum)) {
          throw stateErrors.create('MR-STATE-DAMAGED', { file: path, reason: 'it does not read back as written' });
        }
        await files.rename(`${path}.tmp`, path);
        await files.syncDirectory(`${this.#root}/${directory}`);
        return { name, ...found };
      },
      abort: async () => {
        await opened.close();
        await files.remove(`${path}.tmp`);
      },
    };
  }

  async #checksum(path: string): Promise<Omit<StateFile, 'name'>> {
    const opened = await this.#ports.files.open(path, 'read');
    const buffer = new Uint8Array(READ_BYTES);
    let sizeBytes = 0;
    let checksum = 0;
    for (;;) {
      const count = await opened.read(buffer, buffer.length, sizeBytes);
      if (count === 0) break;
      checksum = crc32c(buffer.subarray(0, count), checksum);
      sizeBytes += count;
    }
    await opened.close();
    return { sizeBytes, checksum: hexadecimal(checksum) };
  }
}

function hexadecimal(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}
