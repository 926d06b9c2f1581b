import type { RowSchema, StreamElement } from '../../core/index.ts';
import { BatchDecoder, BatchEncoder } from './batch-codec.ts';
import { BatchBuilder } from './batch-builder.ts';
import { ignore } from './channel.ts';
import type { ChannelLimits, ControlElement, InputChannel, OutputChannel } from './channel.ts';
import type { CreditReceiver, DataLink, FrameReceiver } from './data-link.ts';

/** Buffers grow in steps of this, so that one that returns fits the next frame of about the same size. */
const BUFFER_STEP_BYTES = 4096;

/** The sending end of a channel to another slot. Its buffers go with the frames and come back with the credits. */
export class RemoteOutput implements OutputChannel, CreditReceiver {
  onCredit: () => void = ignore;
  readonly builder: BatchBuilder;
  readonly #link: DataLink;
  readonly #channel: number;
  readonly #encoder: BatchEncoder;
  readonly #keptBytes: number;
  readonly #buffers: ArrayBuffer[] = [];
  #credits: number;

  constructor(link: DataLink, channel: number, schema: RowSchema, limits: ChannelLimits) {
    this.#link = link;
    this.#channel = channel;
    this.#encoder = new BatchEncoder(schema);
    this.#credits = limits.credits;
    this.#keptBytes = limits.frameBytes * 2;
    this.builder = new BatchBuilder(schema, limits.frameBytes);
    link.attachSender(channel, this);
  }

  get hasCredit(): boolean {
    return this.#credits > 0;
  }

  sendBatch(): void {
    const { batch } = this.builder;
    const size = this.#encoder.measure(batch);
    const frame = this.#buffer(size);
    this.#encoder.encode(batch, frame, size);
    this.#credits--;
    this.#link.sendFrame(this.#channel, frame);
    this.builder.reset();
  }

  sendControl(element: ControlElement): void {
    this.#credits--;
    this.#link.sendControl(this.#channel, element);
  }

  credited(buffer: ArrayBuffer | null): void {
    this.#credits++;
    if (buffer !== null && buffer.byteLength <= this.#keptBytes) this.#buffers.push(buffer);
    this.onCredit();
  }

  close(): void {
    this.onCredit = ignore;
    this.#buffers.length = 0;
  }

  /** A buffer for a frame. One that came back too small makes room for one that fits. */
  #buffer(size: number): ArrayBuffer {
    const kept = this.#buffers.pop();
    if (kept !== undefined && kept.byteLength >= size) return kept;
    return new ArrayBuffer(Math.ceil(size / BUFFER_STEP_BYTES) * BUFFER_STEP_BYTES);
  }
}

/** The receiving end of a channel from another slot. */
export class RemoteInput implements InputChannel, FrameReceiver {
  onElement: () => void = ignore;
  readonly #link: DataLink;
  readonly #channel: number;
  readonly #decoder: BatchDecoder;
  readonly #queue: (ArrayBuffer | ControlElement)[] = [];
  #current: ArrayBuffer | ControlElement | null = null;

  constructor(link: DataLink, channel: number, schema: RowSchema) {
    this.#link = link;
    this.#channel = channel;
    this.#decoder = new BatchDecoder(schema);
    link.attachReceiver(channel, this);
  }

  received(message: ArrayBuffer | ControlElement): void {
    this.#queue.push(message);
    this.onElement();
  }

  next(): StreamElement | null {
    if (this.#current !== null) return null;
    const next = this.#queue.shift();
    if (next === undefined) return null;
    this.#current = next;
    return next instanceof ArrayBuffer ? { kind: 'batch', batch: this.#decoder.decode(next) } : next;
  }

  release(): void {
    const current = this.#current;
    if (current === null) return;
    this.#current = null;
    this.#link.sendCredit(this.#channel, current instanceof ArrayBuffer ? current : null);
  }

  close(): void {
    this.onElement = ignore;
    this.#queue.length = 0;
    this.#link.attachReceiver(this.#channel, null);
  }
}
