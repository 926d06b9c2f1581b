import type { StreamElement } from '../../core/index.ts';
import type { BatchBuilder } from './batch-builder.ts';

export type BatchElement = Extract<StreamElement, { readonly kind: 'batch' }>;
export type ControlElement = Exclude<StreamElement, BatchElement>;
export type Barrier = Extract<StreamElement, { readonly kind: 'barrier' }>;

/** What flow control is told by the slot's memory. */
export interface ChannelLimits {
  /** Elements on their way per channel. */
  readonly credits: number;
  /** The size of a frame, unless one row is larger. */
  readonly frameBytes: number;
}

/** A hurried sender may be so many times its credits ahead of them. */
const OVERDRAFT_FACTOR = 2;

/** The most elements of one channel that wait for credit while its sender is hurried. */
export function overdraftOf({ credits }: ChannelLimits): number {
  return credits * OVERDRAFT_FACTOR;
}

/** Takes batches that a barrier has overtaken: frames of batch-codec.ts, which are the taker's own. */
export interface FrameTaker {
  /** Nobody wants them any more. */
  readonly isOver: boolean;
  take(frame: ArrayBuffer): void;
  /** There are no more of this channel. */
  end(): void;
}

/**
 * The sending end of a channel that gathers rows. Elements arrive in the order in which they are sent. Each takes one
 * credit, which returns when the receiver has processed it. What is sent without credit waits in line for it.
 */
export interface OutputChannel {
  /** Where the rows of the next batch are gathered. Another one after sendBatch(). */
  readonly builder: BatchBuilder;
  readonly hasCredit: boolean;
  /** Whether a hurried sender may send without credit. */
  readonly hasOverdraft: boolean;
  /** Whether something waits in line for credit. */
  readonly isBehind: boolean;
  /** Called when a credit has returned that nothing waited for, and when nothing waits in line any more. */
  onCredit: () => void;
  /** Sends what the builder holds. Only with rows in it. */
  sendBatch(): void;
  /** Only with no rows in the builder. */
  sendControl(element: ControlElement): void;
  /** Sends a barrier past all batches that wait for credit, copies of which are taken. It takes no credit. */
  overtake(barrier: Barrier, taker: FrameTaker): void;
  /** Called last. What was sent still arrives. */
  close(): void;
}

/** The receiving end of a channel. */
export interface InputChannel {
  /** Called when next() may have something. */
  onElement: () => void;
  /** Called when a barrier arrives, whatever stands in front of it. */
  onBarrier: (barrier: Barrier) => void;
  /**
   * The next element, or null where none is at hand. It is processed when release() is called: a batch is borrowed
   * until then, and there is no next one before.
   */
  next(): StreamElement | null;
  release(): void;
  /** Called last. Later elements are dropped. */
  close(): void;
}

/** One whose batches a barrier can overtake. */
export interface RecordableChannel extends InputChannel {
  /**
   * Copies the batches in front of this barrier, which is taken out: those that wait, and those that still come until
   * the barrier or the end does. They are processed all the same. Only while no element is borrowed.
   */
  record(checkpointId: number, taker: FrameTaker): void;
}

export const ignore = (): void => undefined;
