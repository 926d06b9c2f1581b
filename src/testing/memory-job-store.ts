import { haErrors } from '../ha/index.ts';
import type { JobRecord, JobStore, StoredJob } from '../ha/index.ts';

/** Records of jobs in memory, over which one leader after another opens a store. */
export class MemoryJobs {
  readonly #jobs = new Map<string, StoredJob>();
  #leader = 0;
  #lostAnswer: 'none' | 'carried-out' | 'not-carried-out' = 'none';
  /** Called before every write; what it throws is what the write rejects with, and then nothing is written. */
  beforeWrite: ((record: JobRecord) => void | Promise<void>) | null = null;

  /** Opens a store; the one before is fenced. */
  open(): JobStore {
    const leader = ++this.#leader;
    let isClosed = false;
    const pending = new Set<Promise<unknown>>();
    const check = (job: string): void => {
      if (leader === this.#leader) return;
      throw haErrors.create('MR-HA-FENCED', { role: `runs job ${job}`, reason: 'another leader has taken over' });
    };
    const asked = async <T>(job: string, work: () => T | Promise<T>): Promise<T> => {
      if (isClosed) throw haErrors.create('MR-HA-FENCED', { role: `runs job ${job}`, reason: 'the store is closed' });
      check(job);
      const done = Promise.resolve().then(work);
      pending.add(done);
      return done.finally(() => pending.delete(done));
    };
    return {
      read: (jobName) => asked(jobName, () => structuredClone(this.#jobs.get(jobName) ?? null)),
      write: (record, expected) =>
        asked(record.jobName, async () => {
          await this.beforeWrite?.(record);
          check(record.jobName);
          return this.#write(structuredClone(record), expected);
        }),
      remove: (jobName) => asked(jobName, () => void this.#jobs.delete(jobName)),
      close: async () => {
        isClosed = true;
        await Promise.allSettled([...pending]);
      },
    };
  }

  /** What is stored, whoever leads. */
  peek(jobName: string): StoredJob | null {
    return structuredClone(this.#jobs.get(jobName) ?? null);
  }

  /** Ends the leadership of whoever has it. */
  depose(): void {
    this.#leader++;
  }

  /** The answer to the next write is lost; whether it was carried out is found out by reading back. */
  loseAnswer(isCarriedOut: boolean): void {
    this.#lostAnswer = isCarriedOut ? 'carried-out' : 'not-carried-out';
  }

  #write(record: JobRecord, expected: number | null): number {
    const { jobName: job } = record;
    const found = this.#jobs.get(job)?.version ?? null;
    const lost = this.#lostAnswer;
    this.#lostAnswer = 'none';
    if (lost === 'not-carried-out') {
      const place = { record: job, directory: 'memory' };
      throw haErrors.create('MR-HA-UNAVAILABLE', { operation: 'write', ...place, reason: 'no answer' });
    }
    if (found !== expected) {
      throw haErrors.create('MR-HA-CONFLICT', { record: job, found: found ?? 'none', expected: expected ?? 'none' });
    }
    const version = expected === null ? 0 : expected + 1;
    this.#jobs.set(job, { record, version });
    return version;
  }
}
