import type { Counter, RowSchema, StreamElement } from '../../core/index.ts';
import { taskErrors } from '../errors.ts';
import { BatchDecoder, BatchEncoder, frameBytes, MAX_FRAME_BYTES } from './batch-codec.ts';
import { BatchBuilder } from './batch-builder.ts';
import { ignore, overdraftOf } from './channel.ts';
import type {
  Barrier,
  ChannelLimits,
  ControlElement,
  FrameTaker,
  OutputChannel,
  RecordableChannel,
} from './channel.ts';
import type { CreditReceiver, DataLink, FrameReceiver } from './data-link.ts';
import { InputQueue } from './input-queue.ts';

/** Buffers grow in steps of this, so that one that returns fits the next frame of about the same size. */
const BUFFER_STEP_BYTES = 4096;

/** The sending end of a channel to another slot. Its buffers go with the frames and return with the credits. */
export class RemoteOutput implements OutputChannel, CreditReceiver {
  onCredit: () => void = ignore;
  readonly builder: BatchBuilder;
  readonly #link: DataLink;
  readonly #channel: number;
  readonly #encoder: BatchEncoder;
  readonly #limits: ChannelLimits;
  readonly #buffers: ArrayBuffer[] = [];
  /** What waits for credit. */
  readonly #line: (ArrayBuffer | ControlElement)[] = [];
  readonly #onLost: (error: Error) => void;
  readonly #sentBytes: Counter;
  #credits: number;
  /** Whether nothing is to follow. */
  #hasEnded = false;

  /**
   * `onLost` is called where the link breaks before the end of the channel's input was sent. `sentBytes` counts the
   * bytes of batches.
   */
  constructor(
    link: DataLink,
    channel: number,
    schema: RowSchema,
    limits: ChannelLimits,
    onLost: (error: Error) => void = ignore,
    sentBytes: Counter = { value: 0 },
  ) {
    this.#link = link;
    this.#channel = channel;
    this.#onLost = onLost;
    this.#sentBytes = sentBytes;
    this.#encoder = new BatchEncoder(schema);
    this.#limits = limits;
    this.#credits = limits.credits;
    this.builder = new BatchBuilder(schema, limits.frameBytes);
    link.attachSender(channel, this);
  }

  get hasCredit(): boolean {
    return this.#credits > 0;
  }

  get isBehind(): boolean {
    return this.#line.length > 0;
  }

  get hasOverdraft(): boolean {
    return this.#line.length < overdraftOf(this.#limits);
  }

  sendBatch(): void {
    const { batch } = this.builder;
    const size = this.#encoder.measure(batch);
    if (size > MAX_FRAME_BYTES) {
      throw taskErrors.create('MR-TASK-ROW-TOO-LARGE', { bytes: size, limit: MAX_FRAME_BYTES });
    }
    const frame = this.#buffer(size);
    this.#encoder.encode(batch, frame, size);
    this.builder.reset();
    this.#sentBytes.value += size;
    this.#send(frame);
  }

  sendControl(element: ControlElement): void {
    this.#send(element);
  }

  overtake(barrier: Barrier, taker: FrameTaker): void {
    for (const each of this.#line) if (each instanceof ArrayBuffer) taker.take(copyOf(each));
    this.#link.sendControl(this.#channel, barrier, true);
  }

  credited(buffer: ArrayBuffer | null): void {
    this.#credits++;
    if (buffer !== null && buffer.byteLength <= this.#limits.frameBytes * 2) this.#buffers.push(buffer);
    const next = this.#line.shift();
    if (next !== undefined) this.#send(next);
    if (!this.isBehind) this.onCredit();
  }

  linkLost(error: Error): void {
    if (!this.#hasEnded) this.#onLost(error);
  }

  close(): void {
    this.onCredit = ignore;
    this.#buffers.length = 0;
    this.#hasEnded = true;
  }

  #send(sent: ArrayBuffer | ControlElement): void {
    if (this.#credits === 0) {
      this.#line.push(sent);
      return;
    }
    this.#credits--;
    if (sent instanceof ArrayBuffer) this.#link.sendFrame(this.#channel, sent);
    else {
      if (sent.kind === 'end-of-input') this.#hasEnded = true;
      this.#link.sendControl(this.#channel, sent, false);
    }
  }

  /** A buffer for a frame. One that came back too small makes room for one that fits. */
  #buffer(size: number): ArrayBuffer {
    const kept = this.#buffers.pop();
    if (kept !== undefined && kept.byteLength >= size) return kept;
    return new ArrayBuffer(Math.ceil(size / BUFFER_STEP_BYTES) * BUFFER_STEP_BYTES);
  }
}

/** The receiving end of a channel from another slot. */
export class RemoteInput implements RecordableChannel, FrameReceiver {
  readonly #link: DataLink;
  readonly #channel: number;
  readonly #decoder: BatchDecoder;
  readonly #queue: InputQueue<ArrayBuffer>;
  readonly #onLost: (error: Error) => void;
  /** What is borrowed: a frame, or true for a control element that took credit. */
  #current: ArrayBuffer | boolean = false;
  /** Whether nothing more is wanted. */
  #hasEnded = false;

  /** `onLost` is called where the link breaks before the end of the channel's input has arrived. */
  constructor(link: DataLink, channel: number, schema: RowSchema, onLost: (error: Error) => void = ignore) {
    this.#link = link;
    this.#channel = channel;
    this.#onLost = onLost;
    this.#decoder = new BatchDecoder(schema);
    this.#queue = new InputQueue(copyOf, () => this.#link.sendCredit(this.#channel, null));
    link.attachReceiver(channel, this);
  }

  set onElement(onElement: () => void) {
    this.#queue.onElement = onElement;
  }

  set onBarrier(onBarrier: (barrier: Barrier) => void) {
    this.#queue.onBarrier = onBarrier;
  }

  receivedFrame(frame: ArrayBuffer): void {
    this.#queue.pushBatch(frame);
  }

  receivedControl(element: ControlElement, isFree: boolean): void {
    if (element.kind === 'end-of-input') this.#hasEnded = true;
    this.#queue.pushControl(element, isFree);
  }

  linkLost(error: Error): void {
    if (!this.#hasEnded) this.#onLost(error);
  }

  next(): StreamElement | null {
    if (this.#current !== false) return null;
    const arrived = this.#queue.shift();
    if (arrived === null) return null;
    const { batch, control, isFree } = arrived;
    this.#current = batch ?? !isFree;
    return batch === null ? control : { kind: 'batch', batch: this.#decoder.decode(batch) };
  }

  release(): void {
    const current = this.#current;
    if (current === false) return;
    this.#current = false;
    this.#link.sendCredit(this.#channel, current instanceof ArrayBuffer ? current : null);
  }

  record(checkpointId: number, taker: FrameTaker): void {
    this.#queue.record(checkpointId, taker);
  }

  close(): void {
    this.#hasEnded = true;
    this.#queue.close();
    this.#queue.clear();
    this.#link.attachReceiver(this.#channel, null);
  }
}

/** The frame alone: buffers are larger. */
function copyOf(buffer: ArrayBuffer): ArrayBuffer {
  return buffer.slice(0, frameBytes(buffer));
}
