import { MAX_FRAME_BYTES } from '../batch-codec.ts';
import { badMessage, checksumOf, HEADER_BYTES, MAX_SMALL_BYTES, messageFlags, messageKinds } from './wire.ts';

/** Small messages are read into this; a frame has its own buffer. */
const STAGING_BYTES = 4096;
/**
 * How far beyond a frame's end its buffer is read into, so that the header that follows takes no read of its own.
 * Whoever gives the buffer has this much more room in it.
 */
export const READ_AHEAD_BYTES = 1024;

export interface WireEvents {
  /** A buffer for a frame that begins to arrive, with READ_AHEAD_BYTES more than `size`. Throws where none may come. */
  frameBuffer(channel: number, size: number): ArrayBuffer;
  /** All of it has arrived. */
  frameArrived(channel: number, frame: ArrayBuffer, size: number): void;
  /** The body is valid during the call. */
  messageArrived(kind: number, flags: number, channel: number, body: Uint8Array): void;
}

/**
 * Bytes of a connection to messages. Frames are received where they stay: what a read of the frame before has brought
 * along of them is copied, the rest is not. Throws MR-TASK-BAD-FRAME; nothing is read after that.
 */
export class WireReader {
  events: WireEvents;
  readonly #staging = new Uint8Array(STAGING_BYTES);
  readonly #view = new DataView(this.#staging.buffer);
  #start = 0;
  #end = 0;
  /** The frame that is arriving, behind its header. */
  #frame: ArrayBuffer | null = null;
  readonly #frameHeader = new Uint8Array(HEADER_BYTES);
  #frameSize = 0;
  #frameAt = 0;
  /** Whether a checksum has been seen: from then on every message has one. */
  #isChecked = false;

  constructor(events: WireEvents) {
    this.events = events;
  }

  /** Where the next bytes go. */
  buffer(): Uint8Array {
    if (this.#frame !== null) {
      return new Uint8Array(this.#frame, this.#frameAt, this.#frameSize - this.#frameAt + READ_AHEAD_BYTES);
    }
    if (this.#start > 0) {
      this.#staging.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    return this.#staging.subarray(this.#end);
  }

  received(count: number): void {
    if (this.#frame === null) this.#end += count;
    else {
      this.#frameAt += count;
      if (this.#frameAt < this.#frameSize) return;
      const surplus = new Uint8Array(this.#frame, this.#frameSize, this.#frameAt - this.#frameSize);
      this.#staging.set(surplus);
      this.#start = 0;
      this.#end = surplus.length;
      this.#endFrame(this.#frame);
    }
    while (this.#frame === null && this.#next());
  }

  /** Takes one message out of the staging area; false where there is no whole one, or a frame goes on elsewhere. */
  #next(): boolean {
    if (this.#end - this.#start < HEADER_BYTES) return false;
    const at = this.#start;
    const size = this.#view.getUint32(at, true);
    const kind = this.#staging[at + 4] as number;
    const flags = this.#staging[at + 5] as number;
    const channel = this.#view.getUint32(at + 8, true);
    if (this.#view.getUint16(at + 6, true) !== 0) throw badMessage('a header that is none');
    if (kind === messageKinds.frame) {
      this.#beginFrame(channel, size);
      return this.#frame === null;
    }
    if (size > MAX_SMALL_BYTES) throw badMessage(`a message of kind ${kind} with ${size} bytes`);
    const bodyAt = at + HEADER_BYTES;
    if (this.#end - bodyAt < size) return false;
    const body = this.#staging.subarray(bodyAt, bodyAt + size);
    this.#check(this.#staging.subarray(at, bodyAt), body);
    this.#start = bodyAt + size;
    this.events.messageArrived(kind, flags, channel, body);
    return true;
  }

  #beginFrame(channel: number, size: number): void {
    if (size > MAX_FRAME_BYTES) throw badMessage(`a frame of ${size} bytes`);
    const frame = this.events.frameBuffer(channel, size);
    const bodyAt = this.#start + HEADER_BYTES;
    const present = Math.min(size, this.#end - bodyAt);
    this.#frameHeader.set(this.#staging.subarray(this.#start, bodyAt));
    new Uint8Array(frame, 0, present).set(this.#staging.subarray(bodyAt, bodyAt + present));
    this.#start = bodyAt + present;
    this.#frameSize = size;
    this.#frameAt = present;
    this.#frame = frame;
    if (present === size) this.#endFrame(frame);
  }

  #endFrame(frame: ArrayBuffer): void {
    this.#frame = null;
    const channel = new DataView(this.#frameHeader.buffer).getUint32(8, true);
    this.#check(this.#frameHeader, new Uint8Array(frame, 0, this.#frameSize));
    this.events.frameArrived(channel, frame, this.#frameSize);
  }

  #check(header: Uint8Array, body: Uint8Array): void {
    const isChecked = ((header[5] as number) & messageFlags.checked) !== 0;
    if (!isChecked && !this.#isChecked) return;
    this.#isChecked = true;
    const stated = new DataView(header.buffer, header.byteOffset).getUint32(HEADER_BYTES - 4, true);
    if (!isChecked || stated !== checksumOf(header, body)) throw badMessage('its checksum is wrong');
  }
}
