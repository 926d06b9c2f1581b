/** The sockets of the data plane (docs/design/019) between simulated processes. */
import type { DirectListener, DirectSocket, DirectSocketHandler, Network, PortReservation } from '../../core/index.ts';
import { clockOf } from './context.ts';
import type { Context, SimulatedProcess } from './context.ts';
import type { SimulatedNetwork } from './network.ts';
import type { Wire } from './wire.ts';

interface Bound {
  readonly process: SimulatedProcess;
  readonly context: Context;
  /** Null for a port that is only held. */
  readonly accept: ((socket: DirectSocket) => DirectSocketHandler) | null;
}

const FIRST_PORT = 1000;

/** The ports of all hosts, and the connections between them. */
export class SimulatedSockets {
  readonly #network: SimulatedNetwork;
  readonly #bound = new Map<string, Bound>();
  readonly #ends = new Set<SocketEnd>();
  #lastPort = FIRST_PORT;

  constructor(network: SimulatedNetwork) {
    this.#network = network;
    network.onChange((host) => {
      for (const [address, { process }] of [...this.#bound]) {
        if (process.host === host && !process.isAlive) this.#bound.delete(address);
      }
      for (const end of [...this.#ends]) if (!end.context.isAlive) this.#reset(end);
    });
  }

  /** All of a thread that has been ended. */
  threadEnded(context: Context): void {
    for (const [address, bound] of [...this.#bound]) if (bound.context === context) this.#bound.delete(address);
    for (const end of [...this.#ends]) if (end.context === context) this.#reset(end);
  }

  breakBetween(host: string, other: string): void {
    for (const end of [...this.#ends]) {
      if (end.host === host && end.peerHost === other) {
        end.broken(systemError('ECONNRESET'));
        end.peer?.broken(systemError('ECONNRESET'));
      }
    }
  }

  /** The network as a process, or one of its threads, has it. */
  of(process: SimulatedProcess, context: Context): Network {
    const { host } = process;
    return {
      connect: () => Promise.reject(new Error('there are no such sockets here')),
      reservePort: async (_, port): Promise<PortReservation> => {
        const chosen = port === 0 ? ++this.#lastPort : port;
        const release = this.#bind(`${host}:${chosen}`, { process, context, accept: null });
        return { port: chosen, release };
      },
      listenDirect: async ({ port }, accept): Promise<DirectListener> => {
        const chosen = port === 0 ? ++this.#lastPort : port;
        const close = this.#bind(`${host}:${chosen}`, { process, context, accept });
        return { port: chosen, close };
      },
      connectDirect: (address, handler) => this.#connect(process, context, address, handler),
    };
  }

  #bind(address: string, bound: Bound): () => void {
    if (this.#bound.has(address)) throw systemError('EADDRINUSE');
    this.#bound.set(address, bound);
    return () => {
      if (this.#bound.get(address) === bound) this.#bound.delete(address);
    };
  }

  #connect(
    process: SimulatedProcess,
    context: Context,
    { host, port, timeoutMs }: { readonly host: string; readonly port: number; readonly timeoutMs: number },
    handler: DirectSocketHandler,
  ): Promise<DirectSocket> {
    const network = this.#network;
    const there = network.wire(process.host, host);
    const back = network.wire(host, process.host);
    return new Promise((resolve, reject) => {
      let isOver = false;
      const finish = (act: () => void): void => {
        context.perform(() => {
          if (isOver) return;
          isOver = true;
          timer.cancel();
          act();
        });
      };
      const timer = clockOf(context).schedule(timeoutMs, () => finish(() => reject(systemError('ETIMEDOUT'))));
      there.send(() => {
        const bound = this.#bound.get(`${host}:${port}`);
        back.send(() => {
          finish(() => {
            if (bound?.context.isAlive !== true) reject(systemError('ECONNREFUSED'));
            else resolve(this.#open({ context, process, handler, wire: there }, bound, back));
          });
        });
      });
    });
  }

  #open(
    from: { readonly context: Context; readonly process: SimulatedProcess } & {
      readonly handler: DirectSocketHandler;
      readonly wire: Wire;
    },
    bound: Bound,
    back: Wire,
  ): DirectSocket {
    const [host, other] = [from.process.host, bound.process.host];
    const near = new SocketEnd(from.context, from.wire, host, other);
    const far = new SocketEnd(bound.context, back, other, host);
    near.peer = far;
    far.peer = near;
    near.handler = from.handler;
    for (const end of [near, far]) {
      this.#ends.add(end);
      end.onOver = () => this.#ends.delete(end);
    }
    far.context.perform(() => {
      if (bound.accept === null) far.close();
      else far.handler = bound.accept(far);
    });
    return near;
  }

  /** Its kernel tells the other side. */
  #reset(end: SocketEnd): void {
    this.#ends.delete(end);
    end.close('ECONNRESET');
  }
}

class SocketEnd implements DirectSocket {
  readonly context: Context;
  readonly host: string;
  readonly peerHost: string;
  readonly queuedBytes = 0;
  readonly #wire: Wire;
  peer: SocketEnd | null = null;
  /** Null before it is accepted: nothing is received then. */
  handler: DirectSocketHandler | null = null;
  onOver: () => void = () => undefined;
  #isOver = false;
  #hasEnded = false;

  constructor(context: Context, wire: Wire, host: string, peerHost: string) {
    this.context = context;
    this.#wire = wire;
    this.host = host;
    this.peerHost = peerHost;
  }

  write(parts: readonly Uint8Array[], written?: () => void): void {
    if (this.#isOver || !this.context.isAlive) return;
    const bytes = new Uint8Array(Buffer.concat(parts));
    this.#send((peer) => peer.#receive(bytes));
    if (written !== undefined) this.context.world.schedule(0, () => this.context.perform(written));
  }

  end(): void {
    if (this.#hasEnded || this.#isOver) return;
    this.#hasEnded = true;
    this.#send((peer) => {
      peer.end();
      peer.broken(null);
    });
  }

  close(code: string | null = null): void {
    if (this.#isOver) return;
    this.#over();
    this.#send((peer) => peer.broken(code === null ? null : systemError(code)));
  }

  broken(error: Error | null): void {
    if (this.#isOver) return;
    this.#over();
    if (this.context.isAlive) this.handler?.closed(error);
  }

  #over(): void {
    this.#isOver = true;
    this.onOver();
  }

  #send(arrive: (peer: SocketEnd) => void): void {
    const { peer } = this;
    if (peer === null) return;
    this.#wire.send(() => peer.context.perform(() => arrive(peer)));
  }

  #receive(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.#isOver && this.handler !== null) {
      const buffer = this.handler.buffer();
      const count = Math.min(buffer.length, bytes.length - at);
      buffer.set(bytes.subarray(at, at + count));
      at += count;
      this.handler.received(count);
    }
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
