import { join } from 'node:path';

import {
  isMillraceError,
  makeDurableDirectory,
  messageOf,
  openEnvelope,
  readShape,
  sealEnvelope,
  shape,
  type FileLock,
  type FileSystem,
  type Ports,
} from '../../core/index.ts';
import { haErrors } from '../errors.ts';
import { jobRecordShape } from '../job-record-shape.ts';
import type { JobRecord, StoredJob } from '../job-store.ts';

const ENVELOPE = { magic: 'MRJB', version: 1 };
/** Far above what a record holds; a larger file is not one. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

const storedShape = shape.fields({ version: shape.integer(0), writeId: shape.text, record: jobRecordShape });

interface StoredRecord extends StoredJob {
  /** Tells this write from any other, where its answer was lost. */
  readonly writeId: string;
}

export type EmbeddedPorts = Pick<Ports, 'files' | 'randomness'>;

/** The record of one job, in a directory that this process has locked. One call at a time. */
export class HeldJob {
  readonly #jobName: string;
  readonly #directory: string;
  readonly #ports: EmbeddedPorts;
  readonly #lock: FileLock;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(jobName: string, directory: string, ports: EmbeddedPorts, lock: FileLock) {
    this.#jobName = jobName;
    this.#directory = directory;
    this.#ports = ports;
    this.#lock = lock;
  }

  /** Rejects with MR-HA-LOCKED where another process has it. */
  static async open(jobName: string, directory: string, ports: EmbeddedPorts): Promise<HeldJob> {
    const lock = await reportingFailure({ operation: 'lock', job: jobName, directory }, async () => {
      await makeDurableDirectory(ports.files, directory);
      return ports.files.lock(join(directory, 'lock'));
    });
    if (!('heldBy' in lock)) return new HeldJob(jobName, directory, ports, lock);
    const owner = lock.heldBy === null ? 'another process' : `process ${lock.heldBy}`;
    throw haErrors.create('MR-HA-LOCKED', { job: jobName, owner, directory });
  }

  read(): Promise<StoredJob | null> {
    return this.#inTurn('read', async () => {
      await this.#checkHeld();
      const stored = await this.#load();
      return stored === null ? null : { record: stored.record, version: stored.version };
    });
  }

  write(record: JobRecord, expected: number | null): Promise<number> {
    return this.#inTurn('write', async () => {
      await this.#checkHeld();
      const found = (await this.#load())?.version ?? null;
      if (found !== expected) {
        const shown = (version: number | null): string => (version === null ? 'none' : String(version));
        throw haErrors.create('MR-HA-CONFLICT', {
          job: this.#jobName,
          found: shown(found),
          expected: shown(expected),
        });
      }
      const version = expected === null ? 0 : expected + 1;
      const writeId = this.#ports.randomness.hex(16);
      const body = Buffer.from(JSON.stringify({ version, writeId, record } satisfies StoredRecord));
      await this.#replace(sealEnvelope(ENVELOPE, body), writeId);
      return version;
    });
  }

  remove(): Promise<void> {
    return this.#inTurn('remove', async () => {
      await this.#checkHeld();
      await this.#files.remove(this.#recordPath);
      await this.#files.syncDirectory(this.#directory);
    });
  }

  /** Called last. Waits for what was asked for before. */
  async release(): Promise<void> {
    await this.#queue;
    await this.#lock.release();
  }

  get #files(): FileSystem {
    return this.#ports.files;
  }

  get #recordPath(): string {
    return recordPath(this.#directory);
  }

  #inTurn<T>(operation: string, act: () => Promise<T>): Promise<T> {
    const what = { operation, job: this.#jobName, directory: this.#directory };
    const turn = this.#queue.then(() => reportingFailure(what, act));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #checkHeld(): Promise<void> {
    if (await this.#lock.isHeld()) return;
    const reason = `${this.#directory} was removed or replaced`;
    throw haErrors.create('MR-HA-FENCED', { job: this.#jobName, reason });
  }

  #load(): Promise<StoredRecord | null> {
    return loadRecord(this.#files, this.#directory, this.#jobName);
  }

  /** Durable when it resolves. */
  async #replace(bytes: Uint8Array, writeId: string): Promise<void> {
    const temporary = `${this.#recordPath}.tmp`;
    const file = await this.#files.open(temporary, 'create');
    try {
      await file.append(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    const written = await readWhole(this.#files, temporary);
    if (written === null || Buffer.compare(written, bytes) !== 0) throw new Error('it does not read back as written');
    // The lock may have been lost meanwhile, and from here on nothing can be taken back.
    await this.#checkHeld();
    try {
      await this.#files.rename(temporary, this.#recordPath);
      await this.#files.syncDirectory(this.#directory);
    } catch (error) {
      // The answer is lost, not necessarily the write: what is there now decides.
      if ((await this.#load())?.writeId !== writeId) throw error;
      await this.#files.syncDirectory(this.#directory);
    }
  }
}

/**
 * What stands in a job's directory, whoever has locked it: the record is replaced as a whole. Null where there is none.
 * Changes nothing.
 */
export function peekRecord(files: FileSystem, directory: string, jobName: string): Promise<JobRecord | null> {
  return reportingFailure({ operation: 'read', job: jobName, directory }, async () => {
    return (await loadRecord(files, directory, jobName))?.record ?? null;
  });
}

/** Null where there is none. */
async function loadRecord(files: FileSystem, directory: string, jobName: string): Promise<StoredRecord | null> {
  const file = recordPath(directory);
  const damaged = (reason: string): Error => haErrors.create('MR-HA-DAMAGED', { file, job: jobName, reason });
  const bytes = await readWhole(files, file);
  if (bytes === null) return null;
  const opened = openEnvelope(ENVELOPE, bytes);
  if (opened.kind === 'damaged') throw damaged(opened.reason);
  if (opened.kind === 'newer') {
    throw haErrors.create('MR-HA-NEWER-VERSION', { file, version: opened.version, known: ENVELOPE.version });
  }
  const reading = readShape(storedShape, parseJson(opened.body));
  if (reading.kind === 'refused') throw damaged(reading.reason);
  const { record } = reading.value;
  if (record.jobName === jobName) return reading.value;
  if (record.jobName.toLowerCase() !== jobName.toLowerCase()) throw damaged(`it is that of job ${record.jobName}`);
  throw haErrors.create('MR-HA-NAME-TAKEN', { job: jobName, other: record.jobName, directory });
}

function recordPath(directory: string): string {
  return join(directory, 'job');
}

async function reportingFailure<T>(
  what: { readonly operation: string; readonly job: string; readonly directory: string },
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isMillraceError(error)) throw error;
    throw haErrors.create('MR-HA-UNAVAILABLE', { ...what, reason: messageOf(error) }, error);
  }
}

/** Null where nothing is there. */
async function readWhole(files: FileSystem, path: string): Promise<Uint8Array | null> {
  const info = await files.stat(path);
  if (info === null) return null;
  if (info.sizeBytes > MAX_RECORD_BYTES) throw new Error(`${path} is too large for a record: ${info.sizeBytes} bytes`);
  const file = await files.open(path, 'read');
  try {
    const bytes = new Uint8Array(info.sizeBytes);
    let length = 0;
    while (length < bytes.length) {
      const count = await file.read(bytes.subarray(length), bytes.length - length, length);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
