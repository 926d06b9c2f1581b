/** A link within one process: frames move from thread to thread, and their buffers come back with the credits. */
import type { MessagePort } from 'node:worker_threads';
import type { ControlElement } from './channel.ts';
import type { LinkEvents, LinkPort } from './link-port.ts';

type LinkMessage =
  | { readonly kind: 'frame'; readonly channel: number; readonly frame: ArrayBuffer }
  | { readonly kind: 'control'; readonly channel: number; readonly element: ControlElement; readonly isFree: boolean }
  | { readonly kind: 'credit'; readonly channel: number; readonly buffer: ArrayBuffer | null };

export class ThreadPort implements LinkPort {
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  open(events: LinkEvents): void {
    this.#port.on('message', (message: LinkMessage) => {
      const { kind, channel } = message;
      if (kind === 'frame') events.frame(channel, message.frame);
      else if (kind === 'credit') events.credit(channel, message.buffer);
      else events.control(channel, message.element, message.isFree);
    });
  }

  sendFrame(channel: number, frame: ArrayBuffer): void {
    this.#post({ kind: 'frame', channel, frame }, [frame]);
  }

  sendControl(channel: number, element: ControlElement, isFree: boolean): void {
    this.#post({ kind: 'control', channel, element, isFree }, []);
  }

  sendCredit(channel: number, buffer: ArrayBuffer | null): void {
    this.#post({ kind: 'credit', channel, buffer }, buffer === null ? [] : [buffer]);
  }

  close(): Promise<void> {
    this.#port.close();
    return Promise.resolve();
  }

  #post(message: LinkMessage, transfer: ArrayBuffer[]): void {
    this.#port.postMessage(message, transfer);
  }
}
