import type { Clock, TaskManagerId, Timer } from '../../core/index.ts';

export interface HeartbeatSettings {
  /** How often TaskManagers are to tell that they are there. */
  readonly intervalMs: number;
  /** How long one may be silent. */
  readonly timeoutMs: number;
}

/** How often a silence is looked at within an interval of heartbeats. */
const LOOKS_PER_INTERVAL = 2;

/**
 * Notices who has fallen silent. Silence counts only while this process itself ran: after its machine was suspended,
 * or its loop was blocked, everybody gets the time back that it did not listen.
 */
export class HeartbeatMonitor {
  readonly #clock: Clock;
  readonly #settings: HeartbeatSettings;
  readonly #onSilent: (id: TaskManagerId, silentMs: number) => void;
  readonly #silence = new Map<TaskManagerId, { silentMs: number; heardAtMs: number }>();
  #lookedAtMs: number;
  #timer: Timer | null = null;

  constructor(clock: Clock, settings: HeartbeatSettings, onSilent: (id: TaskManagerId, silentMs: number) => void) {
    this.#clock = clock;
    this.#settings = settings;
    this.#onSilent = onSilent;
    this.#lookedAtMs = clock.monotonicMs();
    this.#wait();
  }

  /** Called at the registration and at every heartbeat. */
  heard(id: TaskManagerId): void {
    this.#silence.set(id, { silentMs: 0, heardAtMs: this.#clock.nowMs() });
  }

  /** By the clock on the wall; null for one that was never heard of. */
  heardAtMs(id: TaskManagerId): number | null {
    return this.#silence.get(id)?.heardAtMs ?? null;
  }

  forget(id: TaskManagerId): void {
    this.#silence.delete(id);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#silence.clear();
  }

  get #lookMs(): number {
    return this.#settings.intervalMs / LOOKS_PER_INTERVAL;
  }

  #wait(): void {
    this.#timer = this.#clock.schedule(
      this.#lookMs,
      () => {
        this.#wait();
        this.#look();
      },
      true,
    );
  }

  #look(): void {
    const now = this.#clock.monotonicMs();
    // A timer that comes much later than it was asked for means that nothing has run in between.
    const passedMs = Math.min(now - this.#lookedAtMs, this.#lookMs * 2);
    this.#lookedAtMs = now;
    for (const [id, each] of [...this.#silence]) {
      each.silentMs += passedMs;
      if (each.silentMs <= this.#settings.timeoutMs) continue;
      this.#silence.delete(id);
      this.#onSilent(id, each.silentMs);
    }
  }
}
