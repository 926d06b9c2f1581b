/**
 * A connection to ZooKeeper that can be cut, fall silent and lose answers: between a client and the server, packet by
 * packet of its protocol (a length and, but in the first of each connection, a transaction id and a type).
 */
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

const MULTI = 14;
const CLOSE_SESSION = -11;

export class ZooKeeperProxy {
  readonly #port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #lostAnswer: 'none' | 'carried-out' | 'not-carried-out' = 'none';
  #isCut = false;
  #isSilent = false;
  /** Of the session: its id and its password, as the server has told them. */
  #session: Buffer | null = null;

  private constructor(port: number) {
    this.#port = port;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Before the server at this port of this machine. */
  static async open(port: number): Promise<ZooKeeperProxy> {
    const proxy = new ZooKeeperProxy(port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections break, and new ones break at once. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Nothing gets through, and nobody is told. */
  silence(): void {
    this.#isSilent = true;
    for (const socket of this.#sockets) socket.pause();
  }

  restore(): void {
    this.#isSilent = this.#isCut = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** The connection breaks at the next multi-operation: before the server has it, or before its answer. */
  loseAnswer(isCarriedOut: boolean): void {
    this.#lostAnswer = isCarriedOut ? 'carried-out' : 'not-carried-out';
  }

  /** Ends the session, from a connection of its own: the server lets whoever knows its password do that. */
  async loseSession(): Promise<void> {
    const session = this.#session;
    if (session === null) throw new Error('there is no session yet');
    const socket = connect(this.#port, '127.0.0.1');
    const request = Buffer.alloc(16);
    request.writeInt32BE(10_000, 12);
    socket.write(packet(Buffer.concat([request, session])));
    const close = Buffer.alloc(8);
    close.writeInt32BE(CLOSE_SESSION, 4);
    socket.write(packet(close));
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    if (this.#isCut) {
      client.destroy();
      return;
    }
    const server = connect(this.#port, '127.0.0.1');
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    let isAnswerLost = false;
    let isFirst = true;
    client.on('data', packets((each) => {
      const isMulti = !isFirst && each.length >= 12 && each.readInt32BE(8) === MULTI;
      isFirst = false;
      if (isMulti && this.#lostAnswer !== 'none') {
        isAnswerLost = this.#lostAnswer === 'carried-out';
        this.#lostAnswer = 'none';
        if (!isAnswerLost) return end();
      }
      server.write(each);
    }));
    let isConnected = false;
    server.on('data', packets((each) => {
      if (!isConnected) this.#session = each.subarray(12);
      isConnected = true;
      if (isAnswerLost) return end();
      client.write(each);
    }));
    if (this.#isSilent) for (const socket of [client, server]) socket.pause();
  }
}

function packet(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** Cuts a stream into packets, each with its length. */
function packets(take: (each: Buffer) => void): (chunk: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
      const end = 4 + pending.readInt32BE(0);
      const each = pending.subarray(0, end);
      pending = pending.subarray(end);
      take(each);
    }
  };
}
