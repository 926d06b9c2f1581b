import { isMillraceError } from '../../../core/index.ts';
import type { Clock, Timer } from '../../../core/index.ts';
import { taskErrors } from '../../errors.ts';
import { frameBytes, MIN_FRAME_BYTES } from '../batch-codec.ts';
import type { ControlElement } from '../channel.ts';
import type { LinkEvents, LinkPort } from '../link-port.ts';
import { decodeControl, encodeControl } from './control-codec.ts';
import { badMessage, messageFlags, messageKinds } from './wire.ts';
import type { ConnectionOwner, WireConnection } from './wire-connection.ts';
import { READ_AHEAD_BYTES } from './wire-reader.ts';

/** Buffers grow in steps of this, so that one fits the next frame of about the same size. */
const BUFFER_STEP_BYTES = 4096;
/** A buffer larger than this was made for one enormous row. */
const MAX_KEPT_BYTES = 1024 * 1024;
/** How often each side shows that it is there, and looks whether the other one is. */
const PING_INTERVAL_MS = 1000;
/** How long the other side may take to close, too. */
const CLOSE_TIMEOUT_MS = 1000;

export interface TcpPortOptions {
  readonly peer: string;
  /** How many elements of a channel the other side may have on their way. */
  readonly peerCredits: number;
  /** After so much silence the other side is gone. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Elements of one channel that were sent and have not come back. */
interface Sent {
  readonly frames: ArrayBuffer[];
  controls: number;
}

/**
 * A link over TCP. Frames are copied by the system, so both ends have buffers of their own: the sender's is free again
 * with the credit, which says that the other side has read it; the receiver's goes to the next frame. Either end has no
 * more of them than there are credits.
 */
export class TcpPort implements LinkPort, ConnectionOwner {
  readonly #connection: WireConnection;
  readonly #options: TcpPortOptions;
  readonly #sent = new Map<number, Sent>();
  /** Per channel, how many elements have arrived whose credit was not given back. */
  readonly #held = new Map<number, number>();
  readonly #free: ArrayBuffer[] = [];
  #events: LinkEvents | null = null;
  #timer: Timer | null = null;
  #silentLooks = 0;
  #closing: Promise<void> | null = null;
  #closed: (() => void) | null = null;

  constructor(connection: WireConnection, options: TcpPortOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  open(events: LinkEvents): void {
    this.#events = events;
    this.#look();
  }

  sendFrame(channel: number, frame: ArrayBuffer): void {
    this.#sentIn(channel).frames.push(frame);
    const size = frameBytes(frame);
    this.#connection.writer.large(messageKinds.frame, channel, new Uint8Array(frame, 0, size));
  }

  sendControl(channel: number, element: ControlElement, isFree: boolean): void {
    if (!isFree) this.#sentIn(channel).controls++;
    const flags = isFree ? messageFlags.free : 0;
    this.#connection.writer.message(messageKinds.control, flags, channel, encodeControl(element));
  }

  sendCredit(channel: number, frame: ArrayBuffer | null): void {
    this.#held.set(channel, (this.#held.get(channel) ?? 0) - 1);
    const { writer } = this.#connection;
    if (frame === null) {
      writer.message(messageKinds.credit, 0, channel);
      return;
    }
    // The more there is to be sent for it, the sooner the other side has to know.
    writer.message(messageKinds.credit, messageFlags.ofFrame, channel, undefined, frameBytes(frame));
    if (frame.byteLength <= MAX_KEPT_BYTES) this.#free.push(frame);
  }

  close(): Promise<void> {
    if (this.#connection.isOver) return Promise.resolve();
    this.#closing ??= new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#connection.end();
      this.#timer?.cancel();
      this.#timer = this.#options.clock.schedule(CLOSE_TIMEOUT_MS, () => {
        this.#connection.fail(new Error('the other side does not close'));
      });
    });
    return this.#closing;
  }

  frameBuffer(channel: number, size: number): ArrayBuffer {
    if (size < MIN_FRAME_BYTES) throw badMessage(`a frame of ${size} bytes`);
    this.#hold(channel);
    const kept = this.#free.pop();
    const needed = size + READ_AHEAD_BYTES;
    if (kept !== undefined && kept.byteLength >= needed) return kept;
    return new ArrayBuffer(Math.ceil(needed / BUFFER_STEP_BYTES) * BUFFER_STEP_BYTES);
  }

  frameArrived(channel: number, frame: ArrayBuffer, size: number): void {
    // The rest of the buffer is older.
    if (frameBytes(frame) !== size) throw badMessage(`${frameBytes(frame)} bytes in a message of ${size}`);
    this.#events?.frame(channel, frame);
  }

  messageArrived(kind: number, flags: number, channel: number, body: Uint8Array): void {
    switch (kind) {
      case messageKinds.control: {
        const element = decodeControl(body);
        const isFree = (flags & messageFlags.free) !== 0;
        if (!isFree) this.#hold(channel);
        else if (element.kind !== 'barrier') throw badMessage(`a ${element.kind} without credit`);
        else this.#expect(channel);
        this.#events?.control(channel, element, isFree);
        return;
      }
      case messageKinds.credit:
        this.#credit(channel, (flags & messageFlags.ofFrame) !== 0);
        return;
      case messageKinds.ping:
        return;
      default:
        throw badMessage(`a message of kind ${kind}`);
    }
  }

  over(error: Error | null): void {
    this.#timer?.cancel();
    this.#free.length = 0;
    if (this.#closed !== null) {
      this.#closed();
      return;
    }
    const reason = error?.message ?? 'the other side has closed it';
    this.#events?.lost(
      isMillraceError(error)
        ? error
        : taskErrors.create('MR-TASK-LINK-LOST', { peer: this.#options.peer, reason }, error ?? undefined),
    );
  }

  #credit(channel: number, isOfFrame: boolean): void {
    const sent = this.#sent.get(channel);
    const frame = isOfFrame ? sent?.frames.shift() : null;
    if (sent === undefined || frame === undefined || (frame === null && sent.controls === 0)) {
      throw badMessage(`a credit of channel ${channel} that nobody has spent`);
    }
    if (frame === null) sent.controls--;
    this.#events?.credit(channel, frame);
  }

  #sentIn(channel: number): Sent {
    let sent = this.#sent.get(channel);
    if (sent === undefined) {
      sent = { frames: [], controls: 0 };
      this.#sent.set(channel, sent);
    }
    return sent;
  }

  /** An element that takes credit begins to arrive. */
  #hold(channel: number): void {
    this.#expect(channel);
    const held = this.#held.get(channel) ?? 0;
    if (held >= this.#options.peerCredits) throw badMessage(`more elements in channel ${channel} than it has credits`);
    this.#held.set(channel, held + 1);
  }

  #expect(channel: number): void {
    if (this.#events?.hasReceiver(channel) !== true) throw badMessage(`there is no channel ${channel} here`);
  }

  /**
   * Silence is counted in looks, not on a clock: a machine that was suspended does not take its own pause for the other
   * side's, and what has arrived meanwhile is read before the next look.
   */
  #look(): void {
    this.#timer = this.#options.clock.schedule(
      PING_INTERVAL_MS,
      () => {
        if (this.#connection.isOver) return;
        this.#silentLooks = this.#connection.hasHeard ? 0 : this.#silentLooks + 1;
        this.#connection.hasHeard = false;
        if (this.#silentLooks * PING_INTERVAL_MS >= this.#options.timeoutMs) {
          this.#connection.fail(new Error(`nothing was heard of it for ${this.#silentLooks} s`));
          return;
        }
        this.#connection.writer.message(messageKinds.ping, 0, 0);
        this.#look();
      },
      true,
    );
  }
}
