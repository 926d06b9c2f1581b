import type { Counter, StepId } from '../core/index.ts';

/** The counters of one subtask, by step. */
export class TaskCounters {
  readonly #steps = new Map<string, Map<string, Counter>>();

  counter(step: StepId | string, name: string): Counter {
    let counters = this.#steps.get(step);
    if (counters === undefined) {
      counters = new Map();
      this.#steps.set(step, counters);
    }
    let counter = counters.get(name);
    if (counter === undefined) {
      counter = { value: 0 };
      counters.set(name, counter);
    }
    return counter;
  }

  /** Totals of every step that has a counter. */
  totals(): { readonly stepId: string; readonly counters: Readonly<Record<string, number>> }[] {
    return [...this.#steps].map(([step, counters]) => ({
      stepId: step,
      counters: Object.fromEntries([...counters].map(([name, { value }]) => [name, value])),
    }));
  }
}
