import type { RowSchema, StreamElement } from '../../core/index.ts';
import { BatchBuilder } from './batch-builder.ts';
import { ignore } from './channel.ts';
import type { ChannelLimits, ControlElement, InputChannel, OutputChannel } from './channel.ts';

interface Sent {
  readonly element: StreamElement;
  readonly builder: BatchBuilder | null;
}

/** Both ends of a channel between two subtasks of one slot: builders go to the receiver and come back. */
export class LocalChannel implements InputChannel, OutputChannel {
  onCredit: () => void = ignore;
  onElement: () => void = ignore;
  builder: BatchBuilder;
  readonly #schema: RowSchema;
  readonly #limits: ChannelLimits;
  readonly #free: BatchBuilder[] = [];
  readonly #queue: Sent[] = [];
  #credits: number;
  #current: Sent | null = null;

  constructor(schema: RowSchema, limits: ChannelLimits) {
    this.#schema = schema;
    this.#limits = limits;
    this.#credits = limits.credits;
    this.builder = new BatchBuilder(schema, limits.frameBytes);
  }

  get hasCredit(): boolean {
    return this.#credits > 0;
  }

  sendBatch(): void {
    const { builder } = this;
    this.#send({ element: { kind: 'batch', batch: builder.batch }, builder });
    this.builder = this.#free.pop() ?? new BatchBuilder(this.#schema, this.#limits.frameBytes);
  }

  sendControl(element: ControlElement): void {
    this.#send({ element, builder: null });
  }

  next(): StreamElement | null {
    if (this.#current !== null) return null;
    this.#current = this.#queue.shift() ?? null;
    return this.#current?.element ?? null;
  }

  release(): void {
    const current = this.#current;
    if (current === null) return;
    this.#current = null;
    if (current.builder !== null) {
      current.builder.reset();
      this.#free.push(current.builder);
    }
    this.#credits++;
    this.onCredit();
  }

  close(): void {
    this.onCredit = ignore;
    this.onElement = ignore;
  }

  #send(sent: Sent): void {
    this.#credits--;
    this.#queue.push(sent);
    this.onElement();
  }
}
