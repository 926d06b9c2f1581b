import { haErrors } from '../errors.ts';
import type { JobRecord, JobStore, StoredJob } from '../job-store.ts';
import { HeldJob, peekRecord, type EmbeddedPorts } from './held-job.ts';
import { jobDirectory } from './job-directory.ts';

export interface EmbeddedStoreOptions {
  /** `--data-dir`, absolute: one directory per job is made in it. */
  readonly directory: string;
  readonly ports: EmbeddedPorts;
}

/**
 * The store of jobs of one process, in a directory (docs/design/010). The first call for a job locks it for this
 * process until close(): MR-HA-LOCKED where another one has it.
 */
export function openEmbeddedStore(options: EmbeddedStoreOptions): JobStore {
  return new EmbeddedStore(options);
}

/** The record of a job as it is now, for whoever only wants to know: takes no lock. Null where no such job is known. */
export function readEmbeddedRecord(
  { directory, ports }: EmbeddedStoreOptions,
  jobName: string,
): Promise<JobRecord | null> {
  return peekRecord(ports.files, jobDirectory(directory, jobName), jobName);
}

class EmbeddedStore implements JobStore {
  readonly #directory: string;
  readonly #ports: EmbeddedPorts;
  readonly #jobs = new Map<string, Promise<HeldJob>>();
  #isClosed = false;

  constructor({ directory, ports }: EmbeddedStoreOptions) {
    this.#directory = directory;
    this.#ports = ports;
  }

  async read(jobName: string): Promise<StoredJob | null> {
    return (await this.#hold(jobName)).read();
  }

  async write(record: JobRecord, expected: number | null): Promise<number> {
    return (await this.#hold(record.jobName)).write(record, expected);
  }

  async remove(jobName: string): Promise<void> {
    await (await this.#hold(jobName)).remove();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const opening of await Promise.allSettled(this.#jobs.values())) {
      if (opening.status === 'fulfilled') await opening.value.release();
    }
  }

  #hold(jobName: string): Promise<HeldJob> {
    if (this.#isClosed) {
      const role = `runs job ${jobName}`;
      return Promise.reject(haErrors.create('MR-HA-FENCED', { role, reason: 'it has closed the store' }));
    }
    const known = this.#jobs.get(jobName);
    if (known !== undefined) return known;
    const opening = HeldJob.open(jobName, jobDirectory(this.#directory, jobName), this.#ports);
    this.#jobs.set(jobName, opening);
    // What could not be locked may be free at the next call.
    opening.catch(() => this.#jobs.delete(jobName));
    return opening;
  }
}
