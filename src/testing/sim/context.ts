/**
 * Where code of a simulated process runs. Everything that reaches it from outside comes through perform(): at once,
 * once the process is not stopped any more, or never. Whatever the code of a dead one still does reaches nobody.
 */
import type { Clock, Macrotasks, Randomness, Timer } from '../../core/index.ts';
import type { World } from './world.ts';

/** The least that a turn of the event loop takes: whoever only yields must not stop the time. */
const TURN_MS = 0.02;
/** As Node's timers. */
const LEAST_TIMER_MS = 1;

export interface Context {
  readonly world: World;
  readonly isAlive: boolean;
  perform(run: () => void): void;
}

/** A process from its start to its death. */
export class SimulatedProcess implements Context {
  readonly world: World;
  /** Where it runs: the one that takes its place has the same. */
  readonly host: string;
  /** Of all processes of the simulation. */
  readonly number: number;
  #state: 'running' | 'stopped' | 'resuming' | 'dead' = 'running';
  #held: (() => void)[] = [];
  readonly #onDeath: (() => void)[] = [];

  constructor(world: World, host: string, number: number) {
    this.world = world;
    this.host = host;
    this.number = number;
  }

  get name(): string {
    return `${this.host}#${this.number}`;
  }

  get isStopped(): boolean {
    return this.#state === 'stopped' || this.#state === 'resuming';
  }

  get isAlive(): boolean {
    return this.#state !== 'dead';
  }

  perform(run: () => void): void {
    if (this.#state === 'running') run();
    else if (this.#state !== 'dead') this.#held.push(run);
  }

  onDeath(run: () => void): void {
    this.#onDeath.push(run);
  }

  /** As by SIGSTOP. */
  stop(): void {
    if (this.#state !== 'dead') this.#state = 'stopped';
  }

  /** As by SIGCONT: what has come meanwhile happens now, in order, each with its turn of the event loop. */
  resume(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'resuming';
    this.#goOn();
  }

  #goOn(): void {
    this.world.schedule(TURN_MS, () => {
      if (this.#state !== 'resuming') return;
      const next = this.#held.shift();
      if (next === undefined) {
        this.#state = 'running';
        return;
      }
      next();
      this.#goOn();
    });
  }

  /** As by SIGKILL. */
  kill(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#held = [];
    for (const run of this.#onDeath) run();
  }
}

/** The thread of a slot. */
export class SimulatedThread implements Context {
  readonly world: World;
  readonly process: SimulatedProcess;
  #hasEnded = false;

  constructor(process: SimulatedProcess) {
    this.world = process.world;
    this.process = process;
  }

  get isAlive(): boolean {
    return !this.#hasEnded && this.process.isAlive;
  }

  perform(run: () => void): void {
    if (!this.#hasEnded) this.process.perform(() => this.isAlive && run());
  }

  end(): void {
    this.#hasEnded = true;
  }
}

export function clockOf(context: Context): Clock {
  const { world } = context;
  const schedule = (delayMs: number, callback: () => void): Timer => {
    let isCancelled = false;
    const timer = world.schedule(Math.max(LEAST_TIMER_MS, delayMs), () => {
      context.perform(() => {
        if (!isCancelled) callback();
      });
    });
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  };
  return {
    nowMs: () => Math.floor(world.nowMs),
    monotonicMs: () => world.nowMs,
    schedule,
    sleep: (delayMs) => new Promise((resolve) => schedule(delayMs, resolve)),
  };
}

export function macrotasksOf(context: Context): Macrotasks {
  return {
    yield: () => new Promise((resolve) => context.world.schedule(TURN_MS, () => context.perform(resolve))),
  };
}

export function randomnessOf({ random }: World): Randomness {
  const byte = (): string => Math.floor(random() * 256).toString(16).padStart(2, '0');
  return { next: random, hex: (byteCount) => Array.from({ length: byteCount }, byte).join('') };
}
