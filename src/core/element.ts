/**
 * What travels on an edge: batches and the control elements between them, in order. Control elements never overtake
 * batches of their channel, but for barriers of unaligned checkpoints.
 */
import type { ColumnBatch } from './batch.ts';

/**
 * The watermark at the end of a stream with event time: every window ends before it. A number that survives JSON, so
 * that a checkpoint can hold it; greater than any timestamp (MAX_TIMESTAMP_MS).
 */
export const MAX_WATERMARK_MS = Number.MAX_SAFE_INTEGER;

export type StreamElement =
  | { readonly kind: 'batch'; readonly batch: ColumnBatch }
  /**
   * No later row of this channel has an event time below `timestampMs`, late ones aside; `idle`: the channel holds
   * nobody back until the next one. -Infinity where nothing is known. Only ever rises within a channel.
   */
  | { readonly kind: 'watermark'; readonly timestampMs: number; readonly idle: boolean }
  /** Divides the rows of checkpoint `checkpointId` from later ones (Carbone et al., arXiv 1506.08603). */
  | {
      readonly kind: 'barrier';
      readonly checkpointId: number;
      readonly triggeredAtMs: number;
      /** `aligned`: never overtakes anything; `unaligned`: it has; absent: may still, after the alignment timeout. */
      readonly mode?: 'aligned' | 'unaligned';
    }
  /** Sent at a fixed interval from sources to sinks, to measure latency; passes through operators untouched. */
  | { readonly kind: 'latency-marker'; readonly emittedAtMs: number; readonly stepId: string }
  /** The last element of a channel. */
  | { readonly kind: 'end-of-input' };
