import type { Clock, FileSystem, JobId, SlotId, Timer } from '../core/index.ts';

/** Longer than a job that has lost slots waits for others, unless its cluster is told to wait longer. */
const KEPT_MS = 10 * 60_000;

export interface CopiesKeeperOptions {
  /** Where the slots keep their copies of state files, each below its name and that of its job. */
  readonly directory: string;
  readonly files: Pick<FileSystem, 'list' | 'remove'>;
  readonly clock: Clock;
}

/**
 * Removes what slots have copied for jobs that do not run in them any more (docs/design/024): at once when another job
 * comes, and after a while when none does. Of the job that runs, the slot's thread removes what is not needed.
 */
export class CopiesKeeper {
  readonly #options: CopiesKeeperOptions;
  readonly #timers = new Map<SlotId, Timer>();

  constructor(options: CopiesKeeperOptions) {
    this.#options = options;
  }

  occupied(slot: SlotId, job: JobId): void {
    this.#forget(slot);
    const { directory, files } = this.#options;
    const removeOthers = async (): Promise<void> => {
      const others = (await files.list(`${directory}/${slot}`)).filter((name) => name !== job);
      for (const other of others) await files.remove(`${directory}/${slot}/${other}`);
    };
    this.#do(removeOthers());
  }

  freed(slot: SlotId): void {
    this.#forget(slot);
    const { directory, files, clock } = this.#options;
    const remove = (): void => {
      this.#timers.delete(slot);
      this.#do(files.remove(`${directory}/${slot}`));
    };
    this.#timers.set(slot, clock.schedule(KEPT_MS, remove, true));
  }

  close(): void {
    for (const slot of [...this.#timers.keys()]) this.#forget(slot);
  }

  #forget(slot: SlotId): void {
    this.#timers.get(slot)?.cancel();
    this.#timers.delete(slot);
  }

  /** What cannot be removed now goes with the work directory. */
  #do(work: Promise<void>): void {
    work.catch(() => undefined);
  }
}
