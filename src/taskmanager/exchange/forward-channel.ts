import type { ColumnBatch, StreamElement } from '../../core/index.ts';
import { ignore } from './channel.ts';
import type { Barrier, ControlElement, InputChannel } from './channel.ts';

/**
 * Both ends of a forward edge: the sender's own batch is lent to the receiver, so there is at most one, and the sender
 * stands still until it is given back. Control elements need no lending; they wait in line.
 */
export class ForwardChannel implements InputChannel {
  /** Called when the lent batch is given back, or room for control elements has come. */
  onReleased: () => void = ignore;
  onElement: () => void = ignore;
  onBarrier: (barrier: Barrier) => void = ignore;
  /** Called when the sender cannot take part in a checkpoint before it gets its batch back. */
  onHurry: (checkpointId: number) => void = ignore;
  readonly #queue: StreamElement[] = [];
  readonly #capacity: number;
  #current: StreamElement | null = null;
  #isLent = false;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Whether a batch is lent and not given back. */
  get isLent(): boolean {
    return this.#isLent;
  }

  get hasRoom(): boolean {
    return this.#queue.length < this.#capacity;
  }

  lend(batch: ColumnBatch): void {
    this.#isLent = true;
    this.#push({ kind: 'batch', batch });
  }

  sendControl(element: ControlElement): void {
    this.#push(element);
    if (element.kind === 'barrier') this.onBarrier(element);
  }

  next(): StreamElement | null {
    if (this.#current !== null) return null;
    this.#current = this.#queue.shift() ?? null;
    return this.#current;
  }

  release(): void {
    const current = this.#current;
    if (current === null) return;
    this.#current = null;
    if (current.kind === 'batch') this.#isLent = false;
    this.onReleased();
  }

  close(): void {
    this.onReleased = ignore;
    this.onElement = ignore;
    this.onBarrier = ignore;
    this.onHurry = ignore;
  }

  #push(element: StreamElement): void {
    this.#queue.push(element);
    this.onElement();
  }
}
