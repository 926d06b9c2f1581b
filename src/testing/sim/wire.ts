import type { World } from './world.ts';

/** How long something takes on its way, and whether it gets through at present. */
export interface Route {
  readonly latencyMs: () => number;
  readonly isBlocked: () => boolean;
}

/** One direction of a connection: what is sent arrives in order, once, or not at all. */
export class Wire {
  readonly #world: World;
  readonly #route: Route;
  #lastArrivalMs = 0;
  #held: (() => void)[] = [];
  #isCut = false;

  constructor(world: World, route: Route) {
    this.#world = world;
    this.#route = route;
  }

  send(arrive: () => void): void {
    const dueMs = Math.max(this.#lastArrivalMs, this.#world.nowMs + this.#route.latencyMs());
    this.#lastArrivalMs = dueMs;
    this.#world.schedule(dueMs - this.#world.nowMs, () => {
      if (this.#isCut) return;
      if (this.#held.length > 0 || this.#route.isBlocked()) this.#held.push(arrive);
      else arrive();
    });
  }

  /** What could not get through does, if it can now; still in order. */
  release(): void {
    if (this.#held.length === 0) return;
    this.#world.schedule(0, () => {
      if (this.#isCut || this.#route.isBlocked()) return;
      this.#held.shift()?.();
      this.release();
    });
  }

  /** Nothing that is on its way arrives. */
  cut(): void {
    this.#isCut = true;
    this.#held = [];
  }
}
