import type { Ports } from '../core/index.ts';
import type { RuntimeLimits } from './runtime-limits.ts';

/** Something that runs on a slot's thread, a slice at a time. */
export interface Runnable {
  /** How long its turn is, in ms; the slice of the loop where left out. */
  readonly turnMs?: number;
  /** Runs until it is blocked or the monotonic clock passes `deadlineMs`; never throws. */
  run(deadlineMs: number): void;
}

/**
 * Shares a slot's thread among its subtasks. Each runs when it was woken, in the order of waking, for a slice; between
 * slices the event loop has its turn often enough for sockets, timers and messages.
 */
export class TaskLoop {
  readonly #ports: Ports;
  readonly #limits: RuntimeLimits;
  readonly #onTurn: () => void;
  readonly #queue: Runnable[] = [];
  readonly #queued = new Set<Runnable>();
  #resume: (() => void) | null = null;
  #isStopped = false;

  /** `onTurn` is called at every turn of the event loop that the loop takes: a sign of life. */
  constructor(ports: Ports, limits: RuntimeLimits, onTurn: () => void) {
    this.#ports = ports;
    this.#limits = limits;
    this.#onTurn = onTurn;
  }

  /** Runs `runnable` soon. Harmless when it is to run already. */
  wake(runnable: Runnable): void {
    if (this.#queued.has(runnable)) return;
    this.#queued.add(runnable);
    this.#queue.push(runnable);
    this.#resume?.();
  }

  /** Lets run() resolve; what was woken does not run any more. */
  stop(): void {
    this.#isStopped = true;
    this.#resume?.();
  }

  /** Resolves after stop(). */
  async run(): Promise<void> {
    const { clock, macrotasks } = this.#ports;
    const { sliceMs, yieldMs } = this.#limits;
    let yieldAtMs = clock.monotonicMs() + yieldMs;
    while (!this.#isStopped) {
      const runnable = this.#queue.shift();
      if (runnable === undefined) {
        await this.#sleep();
        continue;
      }
      this.#queued.delete(runnable);
      runnable.run(clock.monotonicMs() + (runnable.turnMs ?? sliceMs));
      if (clock.monotonicMs() < yieldAtMs) continue;
      this.#onTurn();
      await macrotasks.yield();
      yieldAtMs = clock.monotonicMs() + yieldMs;
    }
  }

  /** Resolves when something is woken. */
  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = () => {
        this.#resume = null;
        resolve();
      };
    });
  }
}
