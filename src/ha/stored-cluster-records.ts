/**
 * Where the cluster's records are in the fenced store: `jobs/<jobId>/submission` (what is large of it in
 * parts below that key, which are written first), `jobs/<jobId>/code` (in parts below that key, written before the
 * submission), `jobs/<jobId>/outcome`, `jobs/<jobId>/plan`, `drains/<taskManagerId>`. A job exists once its submission
 * is there.
 */
import { readShape, shape, type Shape } from '../core/index.ts';
import {
  bulkShape,
  codeShape,
  drainShape,
  outcomeShape,
  planShape,
  submissionShape,
  type StoredCode,
  type StoredSubmission,
} from './cluster-record-shapes.ts';
import type {
  ClusterRecords,
  DrainMark,
  ExecutionPlan,
  JobCode,
  JobOutcome,
  JobSubmission,
} from './cluster-records.ts';
import { haErrors } from './errors.ts';
import type { FencedStore } from './high-availability.ts';
import { keyPart, textOfKeyPart } from './keys.ts';
import { parseJson } from './parse-json.ts';

const KEPT_OUTCOMES = 100;
const MAX_PART_BYTES = 400 * 1024;
const MAX_BULK_BYTES = 8 * 1024 * 1024;
const JOBS = 'jobs';
const DRAINS = 'drains';
const KNOWN_VERSION = 1;

const versionShape = shape.fields({ version: shape.integer(0) });

/** The records over the store of a leadership. */
export function clusterRecords(store: FencedStore): ClusterRecords {
  return new StoredClusterRecords(store);
}

class StoredClusterRecords implements ClusterRecords {
  readonly #store: FencedStore;
  /** When each ended job has ended; null before it is first needed. */
  #ended: Promise<Map<string, number>> | null = null;
  /** Writes take turns: only this leader writes, so that none of them meets a change by another. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(store: FencedStore) {
    this.#store = store;
  }

  async jobs(): Promise<readonly JobSubmission[]> {
    const found: JobSubmission[] = [];
    for (const jobId of await this.#jobIds()) {
      if ((await this.#outcome(jobId)) !== null) continue;
      const submission = await this.#submission(jobId);
      if (submission !== null) found.push(submission);
      else await this.#inTurn(() => this.#forget(jobId));
    }
    return found.sort((a, b) => a.submittedAtMs - b.submittedAtMs || (a.jobId < b.jobId ? -1 : 1));
  }

  addJob(submission: JobSubmission, code?: JobCode): Promise<boolean> {
    return this.#inTurn(async () => {
      const { jobId } = submission;
      if ((await this.#store.read(submissionKey(jobId))) !== null) return false;
      // Of a leader that died before it could store the job.
      await this.#store.remove(codeKey(jobId));
      if (code !== undefined) await this.#writeCode(jobId, code);
      await this.#writeSubmission(submission, null);
      return true;
    });
  }

  replaceJob(submission: JobSubmission): Promise<void> {
    return this.#inTurn(async () => {
      const found = await this.#store.read(submissionKey(submission.jobId));
      await this.#writeSubmission(submission, found?.version ?? null);
    });
  }

  async code(jobId: string): Promise<JobCode | null> {
    const key = codeKey(jobId);
    const stored = await this.#read(key, codeShape);
    if (stored === null) return null;
    const { hash, sizeBytes, parts } = stored;
    const whole = await this.#readParts(parts, (part) => `${key}/${part}`);
    if (whole.length !== sizeBytes) throw damaged(key, `${whole.length} bytes of ${sizeBytes} are there`);
    return { hash, text: whole.toString('utf8') };
  }

  plan(jobId: string): Promise<ExecutionPlan | null> {
    return this.#read(planKey(jobId), planShape);
  }

  writePlan(plan: ExecutionPlan): Promise<void> {
    return this.#inTurn(() => this.#replace(planKey(plan.jobId), plan));
  }

  endJob(jobId: string, outcome: JobOutcome): Promise<void> {
    return this.#inTurn(async () => {
      const ended = await this.#endedAt();
      // From here on what is stored may be more than is known.
      this.#ended = null;
      await this.#replace(outcomeKey(jobId), outcome);
      await this.#store.remove(planKey(jobId));
      await this.#store.remove(codeKey(jobId));
      ended.set(jobId, outcome.endedAtMs);
      const oldestFirst = [...ended].sort(([, a], [, b]) => a - b).map(([id]) => id);
      for (const id of oldestFirst.slice(0, Math.max(0, ended.size - KEPT_OUTCOMES))) {
        // The submission first: what is left of a job without one is nothing.
        await this.#store.remove(submissionKey(id));
        await this.#store.remove(jobKey(id));
        ended.delete(id);
      }
      this.#ended = Promise.resolve(ended);
    });
  }

  async endedJobs(): Promise<readonly { readonly submission: JobSubmission; readonly outcome: JobOutcome }[]> {
    const found: { submission: JobSubmission; outcome: JobOutcome }[] = [];
    for (const jobId of await this.#jobIds()) {
      const outcome = await this.#outcome(jobId);
      const submission = outcome === null ? null : await this.#submission(jobId);
      if (outcome !== null && submission !== null) found.push({ submission, outcome });
    }
    return found.sort((a, b) => a.outcome.endedAtMs - b.outcome.endedAtMs);
  }

  async drains(): Promise<readonly DrainMark[]> {
    const found: DrainMark[] = [];
    for (const part of await this.#store.list(DRAINS)) {
      const mark = await this.#read(`${DRAINS}/${part}`, drainShape);
      if (mark !== null) found.push(mark);
    }
    return found;
  }

  markDrain(mark: DrainMark): Promise<void> {
    return this.#inTurn(() => this.#replace(drainKey(mark.taskManagerId), mark));
  }

  clearDrain(taskManagerId: string): Promise<void> {
    return this.#inTurn(() => this.#store.remove(drainKey(taskManagerId)));
  }

  #endedAt(): Promise<Map<string, number>> {
    this.#ended ??= (async () => {
      const ended = new Map<string, number>();
      for (const jobId of await this.#jobIds()) {
        const outcome = await this.#outcome(jobId);
        if (outcome !== null) ended.set(jobId, outcome.endedAtMs);
      }
      return ended;
    })();
    this.#ended.catch(() => {
      this.#ended = null;
    });
    return this.#ended;
  }

  async #jobIds(): Promise<readonly string[]> {
    return (await this.#store.list(JOBS)).map(textOfKeyPart);
  }

  #outcome(jobId: string): Promise<JobOutcome | null> {
    return this.#read(outcomeKey(jobId), outcomeShape);
  }

  /** Its parts are written first, where nobody looks for them before the submission names them. */
  async #writeSubmission(submission: JobSubmission, expected: number | null): Promise<void> {
    const { graph, source, ...rest } = submission;
    const key = submissionKey(submission.jobId);
    const bulk = toBytes(source === undefined ? { graph } : { graph, source });
    if (bulk.length > MAX_BULK_BYTES) {
      const record = `the submission of job ${submission.jobName}`;
      throw haErrors.create('MR-HA-TOO-LARGE', { record, sizeBytes: bulk.length, maxBytes: MAX_BULK_BYTES });
    }
    const bulkParts = bulk.length > MAX_PART_BYTES ? partsOf(bulk) : 0;
    const revision = expected === null ? 0 : expected + 1;
    // Of a leader that died before it could name them.
    if (bulkParts > 0) await this.#store.remove(`${key}/${revision}`);
    await this.#writeParts(bulk, bulkParts, (part) => partKey(key, revision, part));
    const inline = bulkParts === 0 ? Buffer.from(bulk).toString('utf8') : null;
    const stored: StoredSubmission = { ...rest, bulk: inline, bulkBytes: bulk.length, bulkParts, revision };
    await this.#store.write(key, toBytes(stored), expected);
    if (expected === null) return;
    for (const older of await this.#store.list(key)) {
      if (older !== String(revision)) await this.#store.remove(`${key}/${older}`);
    }
  }

  /** What a leader has left of a job that it could not store before it died. */
  async #forget(jobId: string): Promise<void> {
    if ((await this.#store.read(submissionKey(jobId))) === null) await this.#store.remove(jobKey(jobId));
  }

  async #writeCode(jobId: string, { hash, text }: JobCode): Promise<void> {
    const key = codeKey(jobId);
    const bytes = Buffer.from(text);
    const stored: StoredCode = { version: 1, hash, sizeBytes: bytes.length, parts: partsOf(bytes) };
    await this.#writeParts(bytes, stored.parts, (part) => `${key}/${part}`);
    await this.#store.write(key, toBytes(stored), null);
  }

  async #writeParts(bytes: Uint8Array, count: number, keyOf: (part: number) => string): Promise<void> {
    for (let part = 0; part < count; part++) {
      const piece = bytes.subarray(part * MAX_PART_BYTES, (part + 1) * MAX_PART_BYTES);
      await this.#store.write(keyOf(part), piece, null);
    }
  }

  async #readParts(count: number, keyOf: (part: number) => string): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for (let part = 0; part < count; part++) {
      parts.push((await this.#store.read(keyOf(part)))?.value ?? new Uint8Array());
    }
    return Buffer.concat(parts);
  }

  async #submission(jobId: string): Promise<JobSubmission | null> {
    const key = submissionKey(jobId);
    const stored = await this.#read(key, submissionShape);
    if (stored === null) return null;
    const { bulk, bulkBytes, bulkParts, revision, ...rest } = stored;
    const whole =
      bulk === null ? await this.#readParts(bulkParts, (part) => partKey(key, revision, part)) : Buffer.from(bulk);
    if (whole.length !== bulkBytes) throw damaged(key, `${whole.length} bytes of ${bulkBytes} are there`);
    const reading = readShape(bulkShape, parseJson(whole));
    if (reading.kind === 'refused') throw damaged(key, reading.reason);
    return { ...rest, ...reading.value };
  }

  /** Null where nothing is stored. */
  async #read<T>(key: string, expected: Shape<T>): Promise<T | null> {
    const stored = await this.#store.read(key);
    if (stored === null) return null;
    const json = parseJson(stored.value);
    const version = readShape(versionShape, json);
    if (version.kind === 'read' && version.value.version > KNOWN_VERSION) {
      const versions = { version: version.value.version, known: KNOWN_VERSION };
      throw haErrors.create('MR-HA-NEWER-VERSION', { file: key, ...versions });
    }
    const reading = readShape(expected, json);
    if (reading.kind === 'refused') throw damaged(key, reading.reason);
    return reading.value;
  }

  async #replace(key: string, value: unknown): Promise<void> {
    const found = await this.#store.read(key);
    await this.#store.write(key, toBytes(value), found?.version ?? null);
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(act);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

function damaged(key: string, reason: string): Error {
  return haErrors.create('MR-HA-DAMAGED', { file: key, record: 'a record of the cluster', reason });
}

function toBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function jobKey(jobId: string): string {
  return `${JOBS}/${keyPart(jobId)}`;
}

function submissionKey(jobId: string): string {
  return `${jobKey(jobId)}/submission`;
}

function codeKey(jobId: string): string {
  return `${jobKey(jobId)}/code`;
}

function partsOf(bytes: Uint8Array): number {
  return Math.ceil(bytes.length / MAX_PART_BYTES);
}

function partKey(key: string, revision: number, part: number): string {
  return `${key}/${revision}/${part}`;
}

function outcomeKey(jobId: string): string {
  return `${jobKey(jobId)}/outcome`;
}

function planKey(jobId: string): string {
  return `${jobKey(jobId)}/plan`;
}

function drainKey(taskManagerId: string): string {
  return `${DRAINS}/${keyPart(taskManagerId)}`;
}
