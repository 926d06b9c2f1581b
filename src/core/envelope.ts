/**
 * The envelope of files that must be whole or recognised as damaged: state files, metadata, records of jobs
 * (docs/design/010). Little endian.
 *
 *  header   4 bytes magic · uint32 version
 *  body
 *  trailer  uint64 bytes of the body · uint32 CRC-32C of everything before, masked · 4 bytes 'MREN'
 *
 * The envelope is the same in all versions: a reader trusts the version only once the trailer has proved it.
 */
import { crc32c } from './crc32c.ts';

export interface EnvelopeKind {
  /** Four characters. */
  readonly magic: string;
  /** The newest version that is known, which is what is written. From 1. */
  readonly version: number;
}

export const ENVELOPE_HEADER_BYTES = 8;
export const ENVELOPE_TRAILER_BYTES = 16;
const ENVELOPE_BYTES = ENVELOPE_HEADER_BYTES + ENVELOPE_TRAILER_BYTES;
const END_MARK = 'MREN';

export type EnvelopeCheck =
  | { readonly kind: 'sound'; readonly version: number }
  /** `reason` completes "the file is damaged: ". */
  | { readonly kind: 'damaged'; readonly reason: string }
  | { readonly kind: 'newer'; readonly version: number };

export function envelopeHeader(kind: EnvelopeKind): Uint8Array {
  const header = new Uint8Array(ENVELOPE_HEADER_BYTES);
  header.set(ascii(kind.magic));
  new DataView(header.buffer).setUint32(4, kind.version, true);
  return header;
}

/** `checksum` is the CRC-32C of header and body. */
export function envelopeTrailer(bodyBytes: number, checksum: number): Uint8Array {
  const trailer = new Uint8Array(ENVELOPE_TRAILER_BYTES);
  const view = new DataView(trailer.buffer);
  view.setBigUint64(0, BigInt(bodyBytes), true);
  view.setUint32(8, masked(crc32c(trailer.subarray(0, 8), checksum)), true);
  trailer.set(ascii(END_MARK), 12);
  return trailer;
}

export interface EnvelopeFacts {
  readonly sizeBytes: number;
  /** The first bytes, as many as the header has. */
  readonly header: Uint8Array;
  /** The last bytes, as many as the trailer has. */
  readonly trailer: Uint8Array;
  /** CRC-32C of everything before the trailer. */
  readonly checksum: number;
}

/** For files that are not held in memory as a whole. */
export function checkEnvelope(kind: EnvelopeKind, facts: EnvelopeFacts): EnvelopeCheck {
  const { sizeBytes, header, trailer, checksum } = facts;
  if (sizeBytes < ENVELOPE_BYTES) return damaged(`it has ${sizeBytes} bytes, fewer than the least`);
  const expected = envelopeTrailer(sizeBytes - ENVELOPE_BYTES, checksum);
  if (Buffer.compare(expected.subarray(12), trailer.subarray(12)) !== 0) return damaged('its end is missing');
  if (Buffer.compare(expected, trailer) !== 0) return damaged('its checksum is wrong');
  if (Buffer.compare(ascii(kind.magic), header.subarray(0, 4)) !== 0) return damaged('it is a file of another kind');
  const version = new DataView(header.buffer, header.byteOffset).getUint32(4, true);
  if (version === 0) return damaged('it has version 0');
  return version > kind.version ? { kind: 'newer', version } : { kind: 'sound', version };
}

export function sealEnvelope(kind: EnvelopeKind, body: Uint8Array): Uint8Array {
  const header = envelopeHeader(kind);
  return Buffer.concat([header, body, envelopeTrailer(body.length, crc32c(body, crc32c(header)))]);
}

export type OpenedEnvelope =
  | { readonly kind: 'sound'; readonly version: number; readonly body: Uint8Array }
  | Exclude<EnvelopeCheck, { readonly kind: 'sound' }>;

export function openEnvelope(kind: EnvelopeKind, bytes: Uint8Array): OpenedEnvelope {
  const end = Math.max(0, bytes.length - ENVELOPE_TRAILER_BYTES);
  const check = checkEnvelope(kind, {
    sizeBytes: bytes.length,
    header: bytes.subarray(0, ENVELOPE_HEADER_BYTES),
    trailer: bytes.subarray(end),
    checksum: crc32c(bytes.subarray(0, end)),
  });
  return check.kind === 'sound' ? { ...check, body: bytes.subarray(ENVELOPE_HEADER_BYTES, end) } : check;
}

function damaged(reason: string): EnvelopeCheck {
  return { kind: 'damaged', reason };
}

function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/**
 * As LevelDB masks the checksums that it stores: the CRC of a message followed by its own CRC is the same for every
 * message, and the checksum of the whole file would tell nothing.
 */
function masked(checksum: number): number {
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
}
