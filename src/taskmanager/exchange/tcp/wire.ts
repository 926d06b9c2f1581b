/**
 * Messages between two slots over TCP, as docs/design/019 draws them: a header of 16 bytes, little endian, and a body.
 *
 *   0 uint32 bytes of the body · 4 uint8 kind · 5 uint8 flags · 6 uint16 0 · 8 uint32 channel · 12 uint32 checksum
 *
 * Those of the handshake have the same header in every version.
 */
import { crc32c } from '../../../core/index.ts';
import { taskErrors } from '../../errors.ts';

export const HEADER_BYTES = 16;
const CHECKED_BYTES = 12;

export const messageKinds = Object.freeze({
  /** The handshake, in this order; refused instead of the second. */
  hello: 1,
  welcome: 2,
  proof: 3,
  refused: 4,
  /** A batch (batch-codec.ts); takes a credit. */
  frame: 5,
  /** A control element; takes a credit unless it is free. */
  control: 6,
  credit: 7,
  /** Nothing: a sign of life. */
  ping: 8,
});

export const messageFlags = Object.freeze({
  /** The checksum is one. */
  checked: 1,
  /** A control element that took no credit. */
  free: 2,
  /** The credit of a frame, not of a control element. */
  ofFrame: 4,
});

/** The largest body of what is not a frame. */
export const MAX_SMALL_BYTES = 2048;

/** Of the header but for the checksum, then of the body: damage of either shows. */
export function checksumOf(header: Uint8Array, body: Uint8Array | null): number {
  const ofHeader = crc32c(header.subarray(0, CHECKED_BYTES));
  return body === null ? ofHeader : crc32c(body, ofHeader);
}

export function badMessage(problem: string): Error {
  return taskErrors.create('MR-TASK-BAD-FRAME', { problem });
}
