import { isMillraceError, readShape } from '../core/index.ts';
import { haErrors } from './errors.ts';
import type { Leadership } from './high-availability.ts';
import { jobRecordShape } from './job-record-shape.ts';
import type { JobRecord, JobStore, StoredJob } from './job-store.ts';
import { keyPart } from './keys.ts';
import { parseJson } from './parse-json.ts';

/**
 * The records of jobs in the store of a leadership, at `records/<name>`. Closing it ends what it does for its caller;
 * the leadership goes on.
 */
export function clusterJobStore(leadership: Pick<Leadership, 'store'>): JobStore {
  return new ClusterJobStore(leadership);
}

class ClusterJobStore implements JobStore {
  readonly #leadership: Pick<Leadership, 'store'>;
  readonly #pending = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(leadership: Pick<Leadership, 'store'>) {
    this.#leadership = leadership;
  }

  read(jobName: string): Promise<StoredJob | null> {
    return this.#whileOpen(jobName, async () => {
      const key = keyOf(jobName);
      const stored = await this.#leadership.store.read(key);
      if (stored === null) return null;
      const reading = readShape(jobRecordShape, parseJson(stored.value));
      const record = `the record of job ${jobName}`;
      const { kind } = reading;
      if (kind === 'refused') throw haErrors.create('MR-HA-DAMAGED', { file: key, record, reason: reading.reason });
      return { record: reading.value, version: stored.version };
    });
  }

  write(record: JobRecord, expected: number | null): Promise<number> {
    const value = Buffer.from(JSON.stringify(record));
    return this.#whileOpen(record.jobName, () => this.#leadership.store.write(keyOf(record.jobName), value, expected));
  }

  remove(jobName: string): Promise<void> {
    return this.#whileOpen(jobName, () => this.#leadership.store.remove(keyOf(jobName)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([...this.#pending]);
  }

  async #whileOpen<T>(jobName: string, act: () => Promise<T>): Promise<T> {
    const role = `runs job ${jobName}`;
    if (this.#isClosed) throw haErrors.create('MR-HA-FENCED', { role, reason: 'it has closed the store' });
    const acting = act();
    this.#pending.add(acting);
    try {
      return await acting;
    } catch (error) {
      if (isMillraceError(error) && error.code === 'MR-HA-FENCED') {
        throw haErrors.create('MR-HA-FENCED', { role, reason: String(error.fields['reason']) }, error);
      }
      throw error;
    } finally {
      this.#pending.delete(acting);
    }
  }
}

function keyOf(jobName: string): string {
  return `records/${keyPart(jobName)}`;
}
