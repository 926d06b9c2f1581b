import type { JobRecord, JobStore } from '../../ha/index.ts';

/**
 * One job's record, changed by its JobMaster alone: one change after the other, each a compare-and-set. After a write
 * whose outcome is not known, the record is read again before the next.
 */
export class JobRecorder {
  readonly #store: JobStore;
  readonly #jobName: string;
  readonly #initial: () => JobRecord;
  /** Null: to be read. */
  #known: { readonly record: JobRecord; readonly version: number | null } | null = null;
  #last: Promise<unknown> = Promise.resolve();

  /** `initial` makes the record of a job that the store does not know. */
  constructor(store: JobStore, jobName: string, initial: () => JobRecord) {
    this.#store = store;
    this.#jobName = jobName;
    this.#initial = initial;
  }

  /** As it is in the store. */
  read(): Promise<JobRecord> {
    return this.#queue(async () => {
      this.#known = null;
      return (await this.#load()).record;
    });
  }

  /** Writes what `change` makes of the record, and resolves to it; does not write where that is the same object. */
  update(change: (record: JobRecord) => JobRecord): Promise<JobRecord> {
    return this.#queue(async () => {
      const { record, version } = await this.#load();
      const next = change(record);
      if (next === record) return record;
      this.#known = null;
      this.#known = { record: next, version: await this.#store.write(next, version) };
      return next;
    });
  }

  async #load(): Promise<{ readonly record: JobRecord; readonly version: number | null }> {
    if (this.#known !== null) return this.#known;
    const stored = await this.#store.read(this.#jobName);
    this.#known = stored ?? { record: this.#initial(), version: null };
    return this.#known;
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
