/**
 * All channels between two slots, over one port. A frame or a control element goes one way, its credit comes back the
 * other way, but for elements that took none.
 */
import type { ControlElement } from './channel.ts';
import type { LinkEvents, LinkPort } from './link-port.ts';

export interface FrameReceiver {
  receivedFrame(frame: ArrayBuffer): void;
  receivedControl(element: ControlElement, isFree: boolean): void;
  /** Called once, last: nothing comes any more. */
  linkLost(error: Error): void;
}

export interface CreditReceiver {
  credited(buffer: ArrayBuffer | null): void;
  /** Called once, last: what is sent does not arrive any more. */
  linkLost(error: Error): void;
}

const nobody: FrameReceiver = {
  receivedFrame: () => undefined,
  receivedControl: () => undefined,
  linkLost: () => undefined,
};

export class DataLink implements LinkEvents {
  readonly #receivers = new Map<number, FrameReceiver>();
  readonly #senders = new Map<number, CreditReceiver>();
  /** What arrived before its receiver was there; no more than its sender has credits. */
  readonly #early = new Map<number, ((receiver: FrameReceiver) => void)[]>();
  /** What was sent before the port was there; bounded by credits too. */
  readonly #waiting: ((port: LinkPort) => void)[] = [];
  #port: LinkPort | null = null;
  #isLost = false;

  connect(port: LinkPort): void {
    this.#port = port;
    port.open(this);
    for (const send of this.#waiting.splice(0)) send(port);
  }

  /** Null makes the channel drop what still comes. */
  attachReceiver(channel: number, receiver: FrameReceiver | null): void {
    this.#receivers.set(channel, receiver ?? nobody);
    for (const deliver of this.#early.get(channel) ?? []) deliver(receiver ?? nobody);
    this.#early.delete(channel);
  }

  attachSender(channel: number, sender: CreditReceiver): void {
    this.#senders.set(channel, sender);
  }

  sendFrame(channel: number, frame: ArrayBuffer): void {
    if (this.#port !== null) this.#port.sendFrame(channel, frame);
    else this.#wait((port) => port.sendFrame(channel, frame));
  }

  /** `isFree`: it takes no credit. */
  sendControl(channel: number, element: ControlElement, isFree: boolean): void {
    if (this.#port !== null) this.#port.sendControl(channel, element, isFree);
    else this.#wait((port) => port.sendControl(channel, element, isFree));
  }

  sendCredit(channel: number, buffer: ArrayBuffer | null): void {
    if (this.#port !== null) this.#port.sendCredit(channel, buffer);
    else this.#wait((port) => port.sendCredit(channel, buffer));
  }

  async close(): Promise<void> {
    await this.#port?.close();
  }

  hasReceiver(channel: number): boolean {
    return this.#receivers.has(channel);
  }

  frame(channel: number, frame: ArrayBuffer): void {
    const receiver = this.#receivers.get(channel);
    if (receiver !== undefined) receiver.receivedFrame(frame);
    else this.#keep(channel, (late) => late.receivedFrame(frame));
  }

  control(channel: number, element: ControlElement, isFree: boolean): void {
    const receiver = this.#receivers.get(channel);
    if (receiver !== undefined) receiver.receivedControl(element, isFree);
    else this.#keep(channel, (late) => late.receivedControl(element, isFree));
  }

  credit(channel: number, buffer: ArrayBuffer | null): void {
    this.#senders.get(channel)?.credited(buffer);
  }

  lost(error: Error): void {
    if (this.#isLost) return;
    this.#isLost = true;
    for (const receiver of this.#receivers.values()) receiver.linkLost(error);
    for (const sender of this.#senders.values()) sender.linkLost(error);
  }

  #wait(send: (port: LinkPort) => void): void {
    if (!this.#isLost) this.#waiting.push(send);
  }

  #keep(channel: number, deliver: (receiver: FrameReceiver) => void): void {
    const early = this.#early.get(channel);
    if (early === undefined) this.#early.set(channel, [deliver]);
    else early.push(deliver);
  }
}
