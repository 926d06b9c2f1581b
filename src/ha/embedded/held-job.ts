import { join } from 'node:path';

import {
  makeDurableDirectory,
  openEnvelope,
  readShape,
  sealEnvelope,
  shape,
  type FileLock,
  type FileSystem,
  type Ports,
} from '../../core/index.ts';
import { conflict } from '../conflict.ts';
import { haErrors } from '../errors.ts';
import { jobRecordShape } from '../job-record-shape.ts';
import type { JobRecord, StoredJob } from '../job-store.ts';
import { parseJson } from '../parse-json.ts';
import { reportingFailure } from '../reporting-failure.ts';
import { readWhole, replaceWhole } from './whole-file.ts';

const ENVELOPE = { magic: 'MRJB', version: 1 };

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
    const lock = await reportingFailure({ operation: 'lock', record: recordOf(jobName), directory }, async () => {
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
      if (found !== expected) throw conflict(recordOf(this.#jobName), found, expected);
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
    const what = { operation, record: recordOf(this.#jobName), directory: this.#directory };
    const turn = this.#queue.then(() => reportingFailure(what, act));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #checkHeld(): Promise<void> {
    if (await this.#lock.isHeld()) return;
    const reason = `${this.#directory} was removed or replaced`;
    throw haErrors.create('MR-HA-FENCED', { role: `runs job ${this.#jobName}`, reason });
  }

  #load(): Promise<StoredRecord | null> {
    return loadRecord(this.#files, this.#directory, this.#jobName);
  }

  async #replace(bytes: Uint8Array, writeId: string): Promise<void> {
    await replaceWhole(this.#files, this.#recordPath, bytes, {
      checkHeld: () => this.#checkHeld(),
      isReplaced: async () => (await this.#load())?.writeId === writeId,
    });
  }
}

/**
 * What stands in a job's directory, whoever has locked it: the record is replaced as a whole. Null where there is none.
 * Changes nothing.
 */
export function peekRecord(files: FileSystem, directory: string, jobName: string): Promise<JobRecord | null> {
  return reportingFailure({ operation: 'read', record: recordOf(jobName), directory }, async () => {
    return (await loadRecord(files, directory, jobName))?.record ?? null;
  });
}

/** Null where there is none. */
async function loadRecord(files: FileSystem, directory: string, jobName: string): Promise<StoredRecord | null> {
  const file = recordPath(directory);
  const record = recordOf(jobName);
  const damaged = (reason: string): Error => haErrors.create('MR-HA-DAMAGED', { file, record, reason });
  const bytes = await readWhole(files, file);
  if (bytes === null) return null;
  const opened = openEnvelope(ENVELOPE, bytes);
  if (opened.kind === 'damaged') throw damaged(opened.reason);
  if (opened.kind === 'newer') {
    throw haErrors.create('MR-HA-NEWER-VERSION', { file, version: opened.version, known: ENVELOPE.version });
  }
  const reading = readShape(storedShape, parseJson(opened.body));
  if (reading.kind === 'refused') throw damaged(reading.reason);
  const { jobName: other } = reading.value.record;
  if (other === jobName) return reading.value;
  if (other.toLowerCase() !== jobName.toLowerCase()) throw damaged(`it is that of job ${other}`);
  throw haErrors.create('MR-HA-NAME-TAKEN', { job: jobName, other, directory });
}

function recordOf(jobName: string): string {
  return `the record of job ${jobName}`;
}

function recordPath(directory: string): string {
  return join(directory, 'job');
}
