import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export type Way = 'requests' | 'answers';

/** One direction of one connection. */
interface Half {
  readonly way: Way;
  readonly from: Socket;
  readonly to: Socket;
}

const LOOPBACK = '127.0.0.1';

/**
 * Before a port of this machine: a network that can lose whatever goes one way. As TCP does, it brings what was on its
 * way once it can again; meanwhile nobody is told anything, not even that a connection has ended.
 */
export class TcpProxy {
  readonly #server: Server;
  readonly #halves = new Set<Half>();
  readonly #blocked = new Set<Way>();

  private constructor(target: number) {
    this.#server = createServer((client) => {
      const server = connect(target, LOOPBACK);
      this.#carry({ way: 'requests', from: client, to: server });
      this.#carry({ way: 'answers', from: server, to: client });
    });
  }

  static async open(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, LOOPBACK, resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Requests go to the port, answers come from it; connections to come count, too. */
  block(way: Way): void {
    this.#blocked.add(way);
    for (const half of this.#halves) if (half.way === way) half.from.pause();
  }

  restore(): void {
    this.#blocked.clear();
    for (const { from, to } of this.#halves) {
      if (from.destroyed) to.destroy();
      else from.resume();
    }
  }

  async close(): Promise<void> {
    for (const { from } of this.#halves) from.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #carry(half: Half): void {
    const { way, from, to } = half;
    this.#halves.add(half);
    from.on('error', () => undefined);
    from.on('data', (bytes) => to.write(bytes));
    from.on('close', () => {
      if (!this.#blocked.has(way)) to.destroy();
    });
    to.on('close', () => this.#halves.delete(half));
    if (this.#blocked.has(way)) from.pause();
  }
}
