import type { DirectSocket } from '../../../core/index.ts';
import { checksumOf, HEADER_BYTES, MAX_SMALL_BYTES, messageFlags } from './wire.ts';

/** Headers and small messages are put together in blocks of this size. */
const BLOCK_BYTES = 16 * 1024;
/** As soon as so much stands for it, what waits is handed to the system; less when the thread comes to rest. */
const EAGER_BYTES = 16 * 1024;
const NO_BODY = new Uint8Array(0);

/**
 * Messages to bytes of a connection, few system calls for many messages: what is sent while the system takes nothing,
 * and small messages of one turn, go together. How much can wait is bounded by whoever sends: by the credits of the
 * channels.
 */
export class WireWriter {
  readonly #socket: DirectSocket;
  readonly #isChecked: boolean;
  #block = new Uint8Array(BLOCK_BYTES);
  #view = new DataView(this.#block.buffer);
  /** What of the block is written, and from where on it is not yet among the parts. */
  #at = 0;
  #partFrom = 0;
  #parts: Uint8Array[] = [];
  #weight = 0;
  #isBlocked = false;
  #isFlushDue = false;
  #isClosed = false;
  readonly #flush: () => void;
  readonly #written: () => void;

  constructor(socket: DirectSocket, isChecked: boolean) {
    this.#socket = socket;
    this.#isChecked = isChecked;
    this.#flush = () => {
      this.#isFlushDue = false;
      this.flush();
    };
    this.#written = () => {
      if (!this.#isBlocked || socket.queuedBytes > 0) return;
      this.#isBlocked = false;
      this.flush();
    };
  }

  /** Sends a small message. `weight`: the bytes that it is about, beside its own. */
  message(kind: number, flags: number, channel: number, body: Uint8Array = NO_BODY, weight = 0): void {
    if (this.#isClosed) return;
    if (body.length > MAX_SMALL_BYTES) throw new RangeError(`a message of kind ${kind} with ${body.length} bytes`);
    const header = this.#header(kind, flags, channel, body);
    this.#block.set(body, header.byteOffset + HEADER_BYTES);
    this.#at += body.length;
    this.#added(HEADER_BYTES + body.length + weight);
  }

  /** Sends a large one; `body` must not change before the other side has answered it. */
  large(kind: number, channel: number, body: Uint8Array): void {
    if (this.#isClosed) return;
    this.#header(kind, 0, channel, body);
    this.#endPart();
    this.#parts.push(body);
    this.#added(HEADER_BYTES + body.length);
  }

  /** Hands what waits to the system, if it takes anything. */
  flush(): void {
    if (this.#isBlocked || this.#isClosed) return;
    this.#endPart();
    if (this.#parts.length === 0) return;
    const parts = this.#parts;
    this.#parts = [];
    this.#weight = 0;
    this.#socket.write(parts, this.#written);
    this.#isBlocked = this.#socket.queuedBytes > 0;
    if (this.#isBlocked) this.#newBlock();
    else {
      this.#at = 0;
      this.#partFrom = 0;
    }
  }

  /** What waits still goes out. */
  end(): void {
    this.#isBlocked = false;
    this.flush();
    this.#isClosed = true;
  }

  close(): void {
    this.#isClosed = true;
    this.#parts = [];
  }

  #header(kind: number, flags: number, channel: number, body: Uint8Array): Uint8Array {
    if (this.#at + HEADER_BYTES + MAX_SMALL_BYTES > this.#block.length) {
      this.#endPart();
      this.#newBlock();
    }
    const at = this.#at;
    const header = this.#block.subarray(at, at + HEADER_BYTES);
    this.#view.setUint32(at, body.length, true);
    header[4] = kind;
    header[5] = flags | (this.#isChecked ? messageFlags.checked : 0);
    header[6] = 0;
    header[7] = 0;
    this.#view.setUint32(at + 8, channel, true);
    this.#view.setUint32(at + 12, this.#isChecked ? checksumOf(header, body) : 0, true);
    this.#at += HEADER_BYTES;
    return header;
  }

  #added(weight: number): void {
    this.#weight += weight;
    if (this.#weight >= EAGER_BYTES) this.flush();
    else if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      void Promise.resolve().then(this.#flush);
    }
  }

  #endPart(): void {
    if (this.#at === this.#partFrom) return;
    this.#parts.push(this.#block.subarray(this.#partFrom, this.#at));
    this.#partFrom = this.#at;
  }

  #newBlock(): void {
    this.#block = new Uint8Array(BLOCK_BYTES);
    this.#view = new DataView(this.#block.buffer);
    this.#at = 0;
    this.#partFrom = 0;
  }
}
