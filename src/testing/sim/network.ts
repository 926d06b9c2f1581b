/**
 * Hosts and what is between them. A direction between two hosts can be blocked: what was sent waits there, as TCP would
 * repeat it, and arrives late or never. Host `zookeeper` and host `kafka` are on it as well.
 */
import type { SimulatedProcess } from './context.ts';
import { Wire } from './wire.ts';
import type { World } from './world.ts';

const LEAST_LATENCY_MS = 0.2;
const USUAL_LATENCY_MS = 3;
const LONG_LATENCY_MS = 60;
const LONG_SHARE = 0.02;

export class SimulatedNetwork {
  readonly world: World;
  /** What runs on each host at present. */
  readonly #hosts = new Map<string, SimulatedProcess>();
  readonly #blocked = new Set<string>();
  readonly #wires = new Set<{ readonly wire: Wire; readonly from: string; readonly to: string }>();
  readonly #watchers = new Set<(host: string) => void>();
  /** All latencies are multiplied by it. */
  slowness = 1;

  constructor(world: World) {
    this.world = world;
  }

  /** Null where nothing runs there. */
  processAt(host: string): SimulatedProcess | null {
    return this.#hosts.get(host) ?? null;
  }

  attach(process: SimulatedProcess): void {
    this.#hosts.set(process.host, process);
    process.onDeath(() => {
      if (this.#hosts.get(process.host) === process) this.#hosts.delete(process.host);
      this.#changed(process.host);
    });
    this.#changed(process.host);
  }

  /** Calls back where something has begun or ended to run on a host, or can be reached again. */
  onChange(listener: (host: string) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  isBlocked(from: string, to: string): boolean {
    return this.#blocked.has(`${from}>${to}`);
  }

  block(from: string, to: string): void {
    this.#blocked.add(`${from}>${to}`);
    this.#changed(to);
  }

  unblock(from: string, to: string): void {
    if (!this.#blocked.delete(`${from}>${to}`)) return;
    for (const each of this.#wires) if (each.from === from && each.to === to) each.wire.release();
    this.#changed(to);
    this.#changed(from);
  }

  healAll(): void {
    for (const each of [...this.#blocked]) {
      const [from = '', to = ''] = each.split('>');
      this.unblock(from, to);
    }
    this.slowness = 1;
  }

  latencyMs(): number {
    const { world } = this;
    const longest = world.random() < LONG_SHARE ? LONG_LATENCY_MS : USUAL_LATENCY_MS;
    return world.between(LEAST_LATENCY_MS, longest) * this.slowness;
  }

  wire(from: string, to: string): Wire {
    const route = { latencyMs: () => this.latencyMs(), isBlocked: () => this.isBlocked(from, to) };
    const wire = new Wire(this.world, route);
    this.#wires.add({ wire, from, to });
    return wire;
  }

  #changed(host: string): void {
    for (const listener of [...this.#watchers]) listener(host);
  }
}
