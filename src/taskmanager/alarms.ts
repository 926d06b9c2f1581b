import type { Clock, Timer } from '../core/index.ts';

/** The clock is looked at again after so long, because it may jump. */
const MAX_WAIT_MS = 60_000;

/** The alarms of a subtask's operators, one each (OperatorContext.setAlarm), by one timer. */
export class Alarms {
  /** Called when an alarm may have come. */
  onDue: () => void = () => undefined;
  readonly #clock: Clock;
  readonly #times: Float64Array;
  #timer: Timer | null = null;
  #timerAtMs = Infinity;
  #isDue = false;
  #isClosed = false;

  constructor(clock: Clock, stageCount: number) {
    this.#clock = clock;
    this.#times = new Float64Array(stageCount).fill(Infinity);
  }

  /** Whether next() may have something. */
  get isDue(): boolean {
    return this.#isDue;
  }

  set(stage: number, atMs: number): void {
    this.#times[stage] = Number.isNaN(atMs) ? Infinity : atMs;
    if (atMs < this.#timerAtMs) this.#wait();
  }

  /** The stage of an alarm that has come, which is over with that; -1 where none has. */
  next(): number {
    const now = this.#clock.nowMs();
    const stage = this.#times.findIndex((atMs) => atMs <= now);
    if (stage < 0) {
      this.#isDue = false;
      this.#wait();
    } else this.#times[stage] = Infinity;
    return stage;
  }

  /** Nothing goes off any more. */
  close(): void {
    this.#isClosed = true;
    this.#isDue = false;
    this.#timer?.cancel();
  }

  #wait(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const atMs = Math.min(...this.#times);
    this.#timerAtMs = atMs;
    if (atMs === Infinity || this.#isClosed || this.#isDue) return;
    const delayMs = Math.min(MAX_WAIT_MS, Math.max(0, Math.ceil(atMs - this.#clock.nowMs())));
    this.#timer = this.#clock.schedule(delayMs, () => {
      this.#isDue = true;
      this.#timerAtMs = Infinity;
      this.onDue();
    }, true);
  }
}
