import type { ControlElement } from './channel.ts';

/** What has arrived at one end of a link; called in the order in which the other end has sent it. */
export interface LinkEvents {
  /** Whether anybody has asked for what arrives in this channel, or does not want it any more. */
  hasReceiver(channel: number): boolean;
  frame(channel: number, frame: ArrayBuffer): void;
  /** `isFree`: it took no credit. */
  control(channel: number, element: ControlElement, isFree: boolean): void;
  /** A credit comes back, with a buffer for another frame where it was one's. */
  credit(channel: number, buffer: ArrayBuffer | null): void;
  /** Called once, last: nothing arrives any more, in either direction. */
  lost(error: Error): void;
}

/** What a link between two slots runs over: one end of it. */
export interface LinkPort {
  /** Called once, first. Nothing arrives before. */
  open(events: LinkEvents): void;
  /** The frame is the port's from now on. */
  sendFrame(channel: number, frame: ArrayBuffer): void;
  sendControl(channel: number, element: ControlElement, isFree: boolean): void;
  /** Gives the credit of an element back, and the frame where it was one: it is the port's from now on. */
  sendCredit(channel: number, frame: ArrayBuffer | null): void;
  /** Called last. What was sent still arrives, if it is taken soon; resolves when nothing is left of the port. */
  close(): Promise<void>;
}
