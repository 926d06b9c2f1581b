import type { Clock, Timer } from '../../core/index.ts';
import type { Barrier } from '../exchange/channel.ts';

/**
 * How long a subtask waits before a barrier overtakes what is in front of it (Flink's aligned-checkpoint-timeout). It
 * counts from the moment when the subtask first hears of the checkpoint.
 */
export class AlignmentTimeout {
  /** Called once per checkpoint, when it has waited for long enough. */
  onDue: (checkpointId: number) => void = () => undefined;
  readonly #clock: Clock;
  readonly #timeoutMs: number | null;
  /** The newest checkpoint that was heard of, and that was due; -1 for none. */
  #heardId = -1;
  #dueId = -1;
  #timer: Timer | null = null;

  /** `timeoutMs`: null for never. */
  constructor(clock: Clock, timeoutMs: number | null) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** A barrier is to come, or has arrived. */
  heard(checkpointId: number, mode: Barrier['mode']): void {
    if (mode === 'unaligned') {
      this.#due(checkpointId);
      return;
    }
    const timeoutMs = this.#timeoutMs;
    if (mode === 'aligned' || timeoutMs === null || checkpointId <= this.#heardId) return;
    this.#heardId = checkpointId;
    this.#timer?.cancel();
    this.#timer = null;
    if (timeoutMs === 0) this.#due(checkpointId);
    else this.#timer = this.#clock.schedule(timeoutMs, () => this.#due(checkpointId), true);
  }

  /** The barrier has passed, or never will. */
  over(checkpointId: number): void {
    if (checkpointId < this.#heardId) return;
    this.#heardId = checkpointId;
    this.#dueId = Math.max(this.#dueId, checkpointId);
    this.close();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #due(checkpointId: number): void {
    if (checkpointId <= this.#dueId) return;
    this.#dueId = checkpointId;
    this.#heardId = Math.max(this.#heardId, checkpointId);
    this.close();
    this.onDue(checkpointId);
  }
}
