/**
 * What travels on an edge: batches and the control elements between them, in order. Control elements never overtake
 * batches of their channel, but for barriers of unaligned checkpoints.
 */
import type { ColumnBatch } from './batch.ts';

export type StreamElement =
  | { readonly kind: 'batch'; readonly batch: ColumnBatch }
  /** No later row of this channel has an event time below `timestampMs`, late ones aside; `idle` lifts the promise. */
  | { readonly kind: 'watermark'; readonly timestampMs: number; readonly idle: boolean }
  /** Divides the rows of checkpoint `checkpointId` from later ones (Carbone et al., arXiv 1506.08603). */
  | { readonly kind: 'barrier'; readonly checkpointId: number; readonly triggeredAtMs: number }
  /** Sent at a fixed interval from sources to sinks, to measure latency; passes through operators untouched. */
  | { readonly kind: 'latency-marker'; readonly emittedAtMs: number; readonly stepId: string }
  /** The last element of a channel. */
  | { readonly kind: 'end-of-input' };
