import { messageOf } from '../../../core/index.ts';
import type { DirectSocket, DirectSocketHandler } from '../../../core/index.ts';
import { WireReader } from './wire-reader.ts';
import type { WireEvents } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** Who is told what arrives; the handshake first, then the port. */
export interface ConnectionOwner extends WireEvents {
  /** Called once, last: null where the other side has closed the connection, else what broke it. */
  over(error: Error | null): void;
}

/** One connection between two slots, from its first byte on. What cannot be read closes it. */
export class WireConnection implements DirectSocketHandler {
  readonly #reader: WireReader;
  readonly #isChecked: boolean;
  #owner: ConnectionOwner;
  #socket: DirectSocket | null = null;
  #writer: WireWriter | null = null;
  #isOver = false;
  /** Whether anything has arrived since this was last set to false. */
  hasHeard = false;

  constructor(owner: ConnectionOwner, isChecked: boolean) {
    this.#owner = owner;
    this.#reader = new WireReader(owner);
    this.#isChecked = isChecked;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Only once it is attached. */
  get writer(): WireWriter {
    if (this.#writer === null) throw new Error('the connection is not open');
    return this.#writer;
  }

  /** Called once, first. */
  attach(socket: DirectSocket): void {
    this.#socket = socket;
    this.#writer = new WireWriter(socket, this.#isChecked);
  }

  /** From the next message on it is this one's. */
  handTo(owner: ConnectionOwner): void {
    this.#owner = owner;
    this.#reader.events = owner;
  }

  buffer(): Uint8Array {
    return this.#reader.buffer();
  }

  received(count: number): void {
    if (this.#isOver) return;
    this.hasHeard = true;
    try {
      this.#reader.received(count);
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  closed(error: Error | null): void {
    this.#end(error);
  }

  /** What was written still goes out; over() is called when the other side has closed, too. */
  end(): void {
    this.#writer?.end();
    this.#socket?.end();
  }

  fail(error: Error): void {
    this.#socket?.close();
    this.#end(error);
  }

  #end(error: Error | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#writer?.close();
    this.#owner.over(error);
  }
}
