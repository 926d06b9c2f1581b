/** Message ports between the threads of a simulated process: messages are copied, and arrive in order and later. */
import type { MessagePort } from 'node:worker_threads';
import type { MessageChannels } from '../../core/index.ts';
import type { Context } from './context.ts';

type Listener = (message: unknown) => void;

/** Of the time on the way to another thread. */
const LONGEST_MS = 0.3;

export class SimulatedPort {
  /** Whose code is called: the port may be given to another thread. */
  owner: Context;
  peer: SimulatedPort | null = null;
  /** Asked of every message that arrives: whether the owner does not get it. */
  intercept: ((message: unknown) => boolean) | null = null;
  /** Messages that have come before anybody listened. */
  #early: unknown[] = [];
  #listener: Listener | null = null;
  #isClosed = false;
  #lastArrivalMs = 0;

  constructor(owner: Context) {
    this.owner = owner;
  }

  on(_event: 'message', listener: Listener): this {
    this.#listener = listener;
    for (const message of this.#early.splice(0)) this.#arrive(message);
    return this;
  }

  postMessage(message: unknown, transfer: readonly unknown[] = []): void {
    const { peer, owner } = this;
    if (this.#isClosed || peer === null || !owner.isAlive) return;
    const ports = transfer.filter((each) => each instanceof SimulatedPort);
    // Ports are moved, everything else is copied.
    const copy: unknown =
      ports.length > 0
        ? { ...(message as object) }
        : structuredClone(message, { transfer: transfer as ArrayBuffer[] });
    for (const port of ports) port.owner = peer.owner;
    peer.#arrive(copy);
  }

  /** What was sent before still arrives at the other end. */
  close(): void {
    this.#isClosed = true;
  }

  #arrive(message: unknown): void {
    if (this.#listener === null) {
      this.#early.push(message);
      return;
    }
    const { world } = this.owner;
    const dueMs = Math.max(this.#lastArrivalMs, world.nowMs + world.between(0, LONGEST_MS));
    this.#lastArrivalMs = dueMs;
    world.schedule(dueMs - world.nowMs, () => {
      this.owner.perform(() => {
        if (!this.#isClosed && this.intercept?.(message) !== true) this.#listener?.(message);
      });
    });
  }
}

export function messageChannelsOf(context: Context): MessageChannels {
  return {
    create() {
      const [port1, port2] = [new SimulatedPort(context), new SimulatedPort(context)];
      port1.peer = port2;
      port2.peer = port1;
      return { port1: port1 as unknown as MessagePort, port2: port2 as unknown as MessagePort };
    },
  };
}
