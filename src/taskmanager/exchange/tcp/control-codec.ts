/** Control elements as bytes: uint8 kind, uint8 flags, 6 × 0, two float64, then text. */
import { MAX_WATERMARK_MS } from '../../../core/index.ts';
import type { ControlElement } from '../channel.ts';
import { badMessage } from './wire.ts';

const KINDS = ['watermark', 'barrier', 'latency-marker', 'end-of-input'] as const;
const MODES = [undefined, 'aligned', 'unaligned'] as const;
const FIXED_BYTES = 24;
/** No id of a step is as long. */
const MAX_TEXT_BYTES = 1024;

export function encodeControl(element: ControlElement): Uint8Array {
  const text = element.kind === 'latency-marker' ? new TextEncoder().encode(element.stepId) : new Uint8Array(0);
  const bytes = new Uint8Array(FIXED_BYTES + text.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = KINDS.indexOf(element.kind);
  switch (element.kind) {
    case 'watermark':
      bytes[1] = element.idle ? 1 : 0;
      view.setFloat64(8, element.timestampMs, true);
      break;
    case 'barrier':
      bytes[1] = MODES.indexOf(element.mode);
      view.setFloat64(8, element.checkpointId, true);
      view.setFloat64(16, element.triggeredAtMs, true);
      break;
    case 'latency-marker':
      view.setFloat64(8, element.emittedAtMs, true);
      bytes.set(text, FIXED_BYTES);
      break;
    case 'end-of-input':
      break;
  }
  return bytes;
}

/** Throws MR-TASK-BAD-FRAME. */
export function decodeControl(bytes: Uint8Array): ControlElement {
  const kind = KINDS[bytes[0] ?? KINDS.length];
  const textBytes = bytes.length - FIXED_BYTES;
  if (kind === undefined || textBytes < 0 || textBytes > MAX_TEXT_BYTES) throw badMessage('an unknown control element');
  if (textBytes > 0 && kind !== 'latency-marker') throw badMessage(`a ${kind} with ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const flag = bytes[1] as number;
  const [first, second] = [view.getFloat64(8, true), view.getFloat64(16, true)];
  switch (kind) {
    case 'watermark':
      // Infinity stands for nothing, and the end is a number: what is greater than it would never be overtaken.
      if (Number.isNaN(first) || first > MAX_WATERMARK_MS) throw badMessage(`a watermark of ${first}`);
      return { kind, timestampMs: first, idle: flag === 1 };
    case 'barrier': {
      if (!Number.isSafeInteger(first) || first < 0 || !Number.isFinite(second) || flag >= MODES.length) {
        throw badMessage(`a barrier of checkpoint ${first}`);
      }
      const mode = MODES[flag];
      const barrier = { kind, checkpointId: first, triggeredAtMs: second };
      return mode === undefined ? barrier : { ...barrier, mode };
    }
    case 'latency-marker':
      return { kind, emittedAtMs: first, stepId: new TextDecoder().decode(bytes.subarray(FIXED_BYTES)) };
    case 'end-of-input':
      return { kind };
  }
}
