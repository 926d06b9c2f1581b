import type { MillraceError } from '../../core/index.ts';
import type { JobHandle } from '../../dispatcher/index.ts';
import type { JobOrigin } from '../../scheduler/index.ts';
import type { ProgressDisplay } from './display.ts';
import { formatElapsed, formatSize } from './quantities.ts';

/** What is told of a job, of all that a JobHandle knows. */
export type NotedJob = Pick<JobHandle, 'origin' | 'restarts' | 'lastFailure' | 'restartDelayMs' | 'checkpoints'>;

export interface NoteSettings {
  readonly nowMs: () => number;
  /** What to say where the job starts without a checkpoint; null for a job that takes none. */
  readonly anew: string | null;
  readonly describeError: (error: MillraceError) => string;
}

/** Tells what a job starts from each time, its checkpoints and its restarts, in the order in which they come. */
export class JobNotes {
  readonly #display: ProgressDisplay;
  readonly #job: NotedJob;
  readonly #settings: NoteSettings;
  #origin: JobOrigin | null = null;
  #lastCheckpoint = 0;
  #restarts = 0;

  constructor(display: ProgressDisplay, job: NotedJob, settings: NoteSettings) {
    this.#display = display;
    this.#job = job;
    this.#settings = settings;
  }

  /** Tells what is new since the last call. */
  update(): void {
    this.#tellRestart();
    this.#tellOrigin();
    this.#tellCheckpoints();
  }

  #tellOrigin(): void {
    const { origin } = this.#job;
    if (origin === null || origin === this.#origin) return;
    this.#origin = origin;
    for (const warning of origin.warnings ?? []) this.#display.note(`warning: ${warning}`);
    if (origin.kind !== 'restored') {
      if (this.#settings.anew !== null) this.#display.note(this.#settings.anew);
      return;
    }
    const { checkpointId, completedAtMs, isSavepoint, droppedSteps } = origin;
    const age = formatElapsed(Math.max(0, this.#settings.nowMs() - completedAtMs));
    this.#display.note(`resuming ${isSavepoint ? 'savepoint' : 'checkpoint'} ${checkpointId}, completed ${age} ago`);
    if (droppedSteps.length > 0) this.#display.note(`dropped the state of ${droppedSteps.join(', ')}`);
  }

  #tellRestart(): void {
    const { restarts, lastFailure, restartDelayMs } = this.#job;
    if (restarts === this.#restarts || lastFailure === null) return;
    this.#restarts = restarts;
    this.#display.note(this.#settings.describeError(lastFailure));
    this.#display.note(`restart ${restarts}: the next attempt comes in ${formatElapsed(restartDelayMs ?? 0)}`);
  }

  #tellCheckpoints(): void {
    const { recent } = this.#job.checkpoints();
    const ended = recent.filter(
      ({ checkpointId, state }) => state !== 'pending' && checkpointId > this.#lastCheckpoint,
    );
    for (const { checkpointId: id, state, durationMs, stateBytes, inFlightBytes, failure } of ended.toReversed()) {
      this.#lastCheckpoint = id;
      if (state === 'aborted') this.#display.note(`checkpoint ${id} aborted: ${failure ?? 'superseded'}`);
      else {
        const inFlight = inFlightBytes === 0 ? '' : `, ${formatSize(inFlightBytes)} on the way`;
        const sizes = `${formatSize(stateBytes)}${inFlight}`;
        this.#display.log(`checkpoint ${id} completed: ${formatElapsed(durationMs)}, ${sizes}`);
      }
    }
  }
}
