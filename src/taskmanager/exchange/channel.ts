import type { StreamElement } from '../../core/index.ts';
import type { BatchBuilder } from './batch-builder.ts';

export type BatchElement = Extract<StreamElement, { readonly kind: 'batch' }>;
export type ControlElement = Exclude<StreamElement, BatchElement>;

/** What flow control is told by the slot's memory. */
export interface ChannelLimits {
  /** Elements on their way per channel. */
  readonly credits: number;
  /** The size of a frame, unless one row is larger. */
  readonly frameBytes: number;
}

/**
 * The sending end of a channel that gathers rows. Elements arrive in the order in which they are sent. Each takes one
 * credit, which returns when the receiver has processed it.
 */
export interface OutputChannel {
  /** Where the rows of the next batch are gathered. Another one after sendBatch(). */
  readonly builder: BatchBuilder;
  readonly hasCredit: boolean;
  /** Called when a credit has returned. */
  onCredit: () => void;
  /** Sends what the builder holds. Only with credit, and rows in the builder. */
  sendBatch(): void;
  /** Only with credit, and no rows in the builder. */
  sendControl(element: ControlElement): void;
  /** Called last. What was sent still arrives. */
  close(): void;
}

/** The receiving end of a channel. */
export interface InputChannel {
  /** Called when next() may have something. */
  onElement: () => void;
  /**
   * The next element, or null where none is at hand. It is processed when release() is called: a batch is borrowed
   * until then, and there is no next one before.
   */
  next(): StreamElement | null;
  release(): void;
  /** Called last. Later elements are dropped. */
  close(): void;
}

export const ignore = (): void => undefined;
