import { haErrors } from '../ha/index.ts';
import type { JobRecord, JobStore, StoredJob } from '../ha/index.ts';

/** Records of jobs in memory, over which one leader after another opens a store. */
export class MemoryJobs {
  readonly #jobs = new Map<string, StoredJob>();
  #leader = 0;
  #losesAnswer = false;
  /** Called before every write; what it throws is what the write rejects with, and then nothing is written. */
  beforeWrite: ((record: JobRecord) => void | Promise<void>) | null = null;

  /** Opens a store; the one before is fenced. */
  open(): JobStore {
    const leader = ++this.#leader;
    const check = (job: string): void => {
      if (leader === this.#leader) return;
      throw haErrors.create('MR-HA-FENCED', { job, reason: 'another leader has taken over, or the store is closed' });
    };
    return {
      read: async (jobName) => {
        check(jobName);
        return structuredClone(this.#jobs.get(jobName) ?? null);
      },
      write: async (record, expected) => {
        check(record.jobName);
        await this.beforeWrite?.(record);
        check(record.jobName);
        return this.#write(structuredClone(record), expected);
      },
      remove: async (jobName) => {
        check(jobName);
        this.#jobs.delete(jobName);
      },
      close: async () => {
        if (leader === this.#leader) this.depose();
      },
    };
  }

  /** Ends the leadership of whoever has it. */
  depose(): void {
    this.#leader++;
  }

  /** The next write is not carried out and rejects as one whose outcome could not be learnt. */
  loseAnswer(): void {
    this.#losesAnswer = true;
  }

  #write(record: JobRecord, expected: number | null): number {
    const { jobName: job } = record;
    const found = this.#jobs.get(job)?.version ?? null;
    if (this.#losesAnswer) {
      this.#losesAnswer = false;
      throw haErrors.create('MR-HA-UNAVAILABLE', { operation: 'write', job, directory: 'memory', reason: 'no answer' });
    }
    if (found !== expected) {
      throw haErrors.create('MR-HA-CONFLICT', { job, found: found ?? 'none', expected: expected ?? 'none' });
    }
    const version = expected === null ? 0 : expected + 1;
    this.#jobs.set(job, { record, version });
    return version;
  }
}
