import type { RowSchema, StreamElement } from '../../core/index.ts';
import { BatchEncoder } from './batch-codec.ts';
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
import { InputQueue } from './input-queue.ts';

/** Both ends of a channel between two subtasks of one slot: builders go to the receiver and come back. */
export class LocalChannel implements RecordableChannel, OutputChannel {
  onCredit: () => void = ignore;
  builder: BatchBuilder;
  readonly #schema: RowSchema;
  readonly #limits: ChannelLimits;
  readonly #free: BatchBuilder[] = [];
  readonly #queue: InputQueue<BatchBuilder>;
  /** What waits for credit. */
  readonly #line: (BatchBuilder | ControlElement)[] = [];
  #credits: number;
  /** What is borrowed: a builder, or true for a control element that took credit. */
  #current: BatchBuilder | boolean = false;
  #encoder: BatchEncoder | null = null;

  constructor(schema: RowSchema, limits: ChannelLimits) {
    this.#schema = schema;
    this.#limits = limits;
    this.#credits = limits.credits;
    this.builder = new BatchBuilder(schema, limits.frameBytes);
    this.#queue = new InputQueue(
      (builder) => this.#frameOf(builder),
      () => this.#giveBack(),
    );
  }

  set onElement(onElement: () => void) {
    this.#queue.onElement = onElement;
  }

  set onBarrier(onBarrier: (barrier: Barrier) => void) {
    this.#queue.onBarrier = onBarrier;
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
    const { builder } = this;
    this.builder = this.#free.pop() ?? new BatchBuilder(this.#schema, this.#limits.frameBytes);
    this.#send(builder);
  }

  sendControl(element: ControlElement): void {
    this.#send(element);
  }

  overtake(barrier: Barrier, taker: FrameTaker): void {
    for (const each of this.#line) if (each instanceof BatchBuilder) taker.take(this.#frameOf(each));
    this.#queue.pushControl(barrier, true);
  }

  next(): StreamElement | null {
    if (this.#current !== false) return null;
    const arrived = this.#queue.shift();
    if (arrived === null) return null;
    const { batch, control, isFree } = arrived;
    this.#current = batch ?? !isFree;
    return batch === null ? control : { kind: 'batch', batch: batch.batch };
  }

  release(): void {
    const current = this.#current;
    if (current === false) return;
    this.#current = false;
    if (current !== true) {
      current.reset();
      this.#free.push(current);
    }
    this.#giveBack();
  }

  record(checkpointId: number, taker: FrameTaker): void {
    this.#queue.record(checkpointId, taker);
  }

  close(): void {
    this.onCredit = ignore;
    this.#queue.close();
  }

  #send(sent: BatchBuilder | ControlElement): void {
    if (this.#credits === 0) {
      this.#line.push(sent);
      return;
    }
    this.#credits--;
    this.#arrive(sent);
  }

  #arrive(sent: BatchBuilder | ControlElement): void {
    if (sent instanceof BatchBuilder) this.#queue.pushBatch(sent);
    else this.#queue.pushControl(sent, false);
  }

  /** A credit has returned: for whatever waits for it. */
  #giveBack(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#credits++;
    else this.#arrive(next);
    if (!this.isBehind) this.onCredit();
  }

  #frameOf({ batch }: BatchBuilder): ArrayBuffer {
    const encoder = (this.#encoder ??= new BatchEncoder(this.#schema));
    const size = encoder.measure(batch);
    const frame = new ArrayBuffer(size);
    encoder.encode(batch, frame, size);
    return frame;
  }
}
