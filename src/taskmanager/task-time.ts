import { counterNames, type Counter } from '../core/index.ts';

/** What a task does: it works, waits for input, or waits until those behind it can take its output. */
export type TimeUse = 'busy' | 'idle' | 'backPressured';

type Totals = Readonly<Record<TimeUse, number>>;

/** Rates are over about this long, as Flink's. */
const WINDOW_MS = 5000;
const MS_PER_SECOND = 1000;
const USES: readonly TimeUse[] = ['busy', 'idle', 'backPressured'];

/**
 * Where the time of one task goes. Told when a turn of the task begins and ends, never per record: two readings of the
 * clock for some milliseconds of work. Waiting for the thread, which tasks of a slot share, is work.
 */
export class TaskTime {
  readonly #totals: Record<TimeUse, number> = { busy: 0, idle: 0, backPressured: 0 };
  readonly #counters: Readonly<Record<TimeUse, { readonly total: Counter; readonly rate: Counter }>>;
  readonly #samples: { readonly atMs: number; readonly totals: Totals }[] = [];
  #use: TimeUse = 'idle';
  /** Null before the first turn. */
  #sinceMs: number | null = null;

  constructor(counter: (name: string) => Counter) {
    const pair = (total: { readonly name: string }, rate: { readonly name: string }) => ({
      total: counter(total.name),
      rate: counter(rate.name),
    });
    this.#counters = {
      busy: pair(counterNames.busyTime, counterNames.busyRate),
      idle: pair(counterNames.idleTime, counterNames.idleRate),
      backPressured: pair(counterNames.backPressuredTime, counterNames.backPressuredRate),
    };
  }

  enter(use: TimeUse, nowMs: number): void {
    if (this.#sinceMs !== null) this.#totals[this.#use] += nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
    this.#use = use;
  }

  /** Brings the counters up to date: before they are reported. */
  settle(nowMs: number): void {
    if (this.#sinceMs === null) return;
    this.enter(this.#use, nowMs);
    const totals = { ...this.#totals };
    this.#samples.push({ atMs: nowMs, totals });
    // The oldest that is kept is the newest one outside the window.
    while ((this.#samples[1]?.atMs ?? Infinity) <= nowMs - WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0];
    const elapsedMs = nowMs - (first?.atMs ?? nowMs);
    for (const use of USES) {
      const { total, rate } = this.#counters[use];
      total.value = Math.round(totals[use]);
      if (first === undefined || elapsedMs <= 0) continue;
      rate.value = Math.round(((totals[use] - first.totals[use]) * MS_PER_SECOND) / elapsedMs);
    }
  }
}
