/**
 * All channels between two slots, over one MessagePort. A frame or a control element goes one way, its credit (and the
 * frame's buffer) comes back the other way, but for elements that took none.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ControlElement } from './channel.ts';

type DataMessage =
  | { readonly kind: 'frame'; readonly channel: number; readonly frame: ArrayBuffer }
  | { readonly kind: 'control'; readonly channel: number; readonly element: ControlElement; readonly isFree: boolean }
  | { readonly kind: 'credit'; readonly channel: number; readonly buffer: ArrayBuffer | null };

/** What arrives in a channel. */
export type Delivery = Exclude<DataMessage, { readonly kind: 'credit' }>;

export interface FrameReceiver {
  received(delivery: Delivery): void;
}

export interface CreditReceiver {
  credited(buffer: ArrayBuffer | null): void;
}

export class DataLink {
  readonly #receivers = new Map<number, FrameReceiver>();
  readonly #senders = new Map<number, CreditReceiver>();
  /** What arrived before its receiver was there; no more than its sender has credits. */
  readonly #early = new Map<number, Delivery[]>();
  /** What was sent before the port was there; bounded by credits too. */
  readonly #waiting: { readonly message: DataMessage; readonly transfer: ArrayBuffer[] }[] = [];
  #port: MessagePort | null = null;

  connect(port: MessagePort): void {
    this.#port = port;
    port.on('message', (message: DataMessage) => {
      this.#deliver(message);
    });
    for (const { message, transfer } of this.#waiting) port.postMessage(message, transfer);
    this.#waiting.length = 0;
  }

  /** Null makes the channel drop what still comes. */
  attachReceiver(channel: number, receiver: FrameReceiver | null): void {
    if (receiver === null) {
      this.#receivers.set(channel, { received: () => undefined });
      return;
    }
    this.#receivers.set(channel, receiver);
    for (const message of this.#early.get(channel) ?? []) receiver.received(message);
    this.#early.delete(channel);
  }

  attachSender(channel: number, sender: CreditReceiver): void {
    this.#senders.set(channel, sender);
  }

  sendFrame(channel: number, frame: ArrayBuffer): void {
    this.#send({ kind: 'frame', channel, frame }, [frame]);
  }

  /** `isFree`: it takes no credit. */
  sendControl(channel: number, element: ControlElement, isFree: boolean): void {
    this.#send({ kind: 'control', channel, element, isFree }, []);
  }

  sendCredit(channel: number, buffer: ArrayBuffer | null): void {
    this.#send({ kind: 'credit', channel, buffer }, buffer === null ? [] : [buffer]);
  }

  close(): void {
    this.#port?.close();
  }

  #send(message: DataMessage, transfer: ArrayBuffer[]): void {
    if (this.#port === null) this.#waiting.push({ message, transfer });
    else this.#port.postMessage(message, transfer);
  }

  #deliver(message: DataMessage): void {
    if (message.kind === 'credit') {
      this.#senders.get(message.channel)?.credited(message.buffer);
      return;
    }
    const receiver = this.#receivers.get(message.channel);
    if (receiver !== undefined) receiver.received(message);
    else {
      const early = this.#early.get(message.channel);
      if (early === undefined) this.#early.set(message.channel, [message]);
      else early.push(message);
    }
  }
}
