import type { MillraceError } from '../core/index.ts';
import type { JobState, TerminalJobState } from '../rpc/index.ts';
import { jobTransitions } from './job-state.ts';
import { move } from './state-machine.ts';

export interface JobEnd {
  readonly state: TerminalJobState;
  readonly error: MillraceError | null;
}

/** The state of a job, for all who wait for one. */
export class JobStatus {
  readonly #name: string;
  readonly #listeners = new Set<(state: JobState) => void>();
  readonly #ended = Promise.withResolvers<JobEnd>();
  readonly #begunToRun = Promise.withResolvers<undefined>();
  #state: JobState = 'INITIALIZING';

  /** `name` of the job, for whoever reads of an illegal move. */
  constructor(name: string) {
    this.#name = name;
  }

  get state(): JobState {
    return this.#state;
  }

  /** Returns what ends that. */
  onChange(listener: (state: JobState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Throws MR-JOB-ILLEGAL-MOVE where that is a bug. */
  move(to: JobState): void {
    this.#state = move(jobTransitions, `job ${this.#name}`, this.#state, to);
    for (const listener of [...this.#listeners]) listener(to);
  }

  /** An attempt can begin: everything that it needs, but slots, is there. */
  moveToRunning(): void {
    this.move('CREATED');
    this.move('RUNNING');
  }

  allRun(): void {
    this.#begunToRun.resolve(undefined);
  }

  end(state: TerminalJobState, error: MillraceError | null): void {
    this.move(state);
    this.#ended.resolve({ state, error });
  }

  /** Resolves when the job has ended and holds nothing any more. Never rejects. */
  get result(): Promise<JobEnd> {
    return this.#ended.promise;
  }

  /** Resolves when all tasks of an attempt have come to run, for the first time. Never rejects. */
  get running(): Promise<void> {
    return this.#begunToRun.promise;
  }
}
