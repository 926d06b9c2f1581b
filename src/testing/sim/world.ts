import { nodePorts } from '../../core/node-ports.ts';
import type { Timer } from '../../core/index.ts';
import { seededRandom } from '../seeded-random.ts';
import { Trace } from './trace.ts';

interface Event {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/** What must always hold does not. */
export interface Violation {
  readonly invariant: string;
  readonly what: string;
  readonly atMs: number;
}

/**
 * The time, the chance and the order of everything in a simulation. Nothing happens but by an event of this queue and
 * the promises that follow from it, so that one seed gives one history.
 */
export class World {
  readonly trace: Trace;
  readonly random: () => number;
  readonly violations: Violation[] = [];
  #nowMs = 1_000_000;
  #order = 0;
  /** A heap: no event comes before the one at half its index. */
  readonly #heap: Event[] = [];

  constructor(seed: number, keepsLines: boolean) {
    this.random = seededRandom(seed);
    this.trace = new Trace(keepsLines);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** What has happened, and to whom: part of the trace. */
  tell(line: string): void {
    this.trace.add(this.#nowMs, line);
  }

  violated(invariant: string, what: string): void {
    this.tell(`VIOLATED ${invariant}: ${what}`);
    this.violations.push({ invariant, what, atMs: this.#nowMs });
  }

  between(low: number, high: number): number {
    return low + this.random() * (high - low);
  }

  /** A whole number from 0 on. */
  below(count: number): number {
    return Math.floor(this.random() * count);
  }

  pick<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }

  schedule(delayMs: number, run: () => void): Timer {
    const event = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run, isCancelled: false };
    this.#push(event);
    return {
      cancel: () => {
        event.isCancelled = true;
      },
    };
  }

  /** Goes on until `isOver`, a violation, or that time. */
  async run(untilMs: number, isOver: () => boolean): Promise<void> {
    while (this.violations.length === 0 && !isOver()) {
      const event = this.#pop();
      if (event === null || event.dueMs > untilMs) return;
      if (event.isCancelled) continue;
      this.#nowMs = event.dueMs;
      event.run();
      // All promises that follow from it have their turn.
      await nodePorts.macrotasks.yield();
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Event;
      if (!comesBefore(event, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = event;
  }

  #pop(): Event | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first ?? null;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right !== undefined && comesBefore(right, heap[below] as Event)) below++;
      const child = heap[below] as Event;
      if (!comesBefore(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function comesBefore(a: Event, b: Event): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
