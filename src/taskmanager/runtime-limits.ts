/** The figures of the task runtime. docs/design/007-task-runtime.md says why they are what they are. */
export interface RuntimeLimits {
  /** Elements on their way per channel. */
  readonly credits: number;
  /** The longest that a subtask runs before another one of its slot may. */
  readonly sliceMs: number;
  /** The longest that a slot runs before pending I/O and messages have their turn. */
  readonly yieldMs: number;
  /** How long rows may wait in partial batches while input keeps coming. */
  readonly flushIntervalMs: number;
  /** How often a source says how far event time has come. */
  readonly watermarkIntervalMs: number;
  readonly reportIntervalMs: number;
  /** How long closing may take after a failure before the failure is reported all the same. */
  readonly closeTimeoutMs: number;
  /** How long a slot may take to cancel before its thread is ended. */
  readonly cancelTimeoutMs: number;
  /** How long a slot's thread may go without a sign of life before it is ended; 0 means for ever. */
  readonly stuckTimeoutMs: number;
  /** How long slots of different processes may take to find each other. */
  readonly linkConnectTimeoutMs: number;
  /** How long whoever has connected with a slot may take to say who it is. */
  readonly linkHandshakeTimeoutMs: number;
  /** After how much silence a slot of another process is gone; both sides say something every second. */
  readonly linkTimeoutMs: number;
  /** Whether what travels between processes without TLS has checksums. */
  readonly linkChecksums: boolean;
}

export const DEFAULT_LIMITS: RuntimeLimits = Object.freeze({
  credits: 4,
  sliceMs: 1,
  yieldMs: 2,
  flushIntervalMs: 100,
  watermarkIntervalMs: 200,
  reportIntervalMs: 500,
  closeTimeoutMs: 10_000,
  cancelTimeoutMs: 15_000,
  stuckTimeoutMs: 60_000,
  linkConnectTimeoutMs: 10_000,
  linkHandshakeTimeoutMs: 5_000,
  linkTimeoutMs: 15_000,
  linkChecksums: true,
});

const MIN_FRAME_BYTES = 32 * 1024;
const MAX_FRAME_BYTES = 512 * 1024;

/** The size of a frame such that all channels of a slot together hold no more than a quarter of its memory. */
export function frameBytesFor(memoryBytes: number, channelCount: number, credits: number): number {
  const share = Math.floor(memoryBytes / 4 / Math.max(1, channelCount * credits));
  return Math.max(MIN_FRAME_BYTES, Math.min(MAX_FRAME_BYTES, share));
}
