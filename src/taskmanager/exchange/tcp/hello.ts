/** What two slots say to each other before anything else, and how each proves that it belongs to the cluster. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { badMessage } from './wire.ts';

/** What this build speaks: its own version and the one before, of which there is none yet. */
export const PROTOCOL: VersionRange = Object.freeze({ oldest: 1, newest: 1 });

export interface VersionRange {
  readonly oldest: number;
  readonly newest: number;
}

/** One connection: which execution of which job, and between whom. */
export interface LinkIdentity {
  readonly jobId: string;
  readonly attempt: number;
  /** The slot that connects, and the one that accepts. */
  readonly from: string;
  readonly to: string;
}

/** Of whoever connects. */
export interface Hello extends LinkIdentity {
  /** How many elements of each channel it may have on their way. */
  readonly credits: number;
  readonly nonce: string;
}

/** Of whoever accepts. */
export interface Welcome {
  readonly version: number;
  readonly credits: number;
  readonly nonce: string;
  readonly proof: string;
}

/** `MRLK` in the order of the bytes. */
const MAGIC = 0x4b4c524d;
const PREFIX_BYTES = 8;
const MAX_CREDITS = 1024;
const MAX_REASON_LENGTH = 200;

/** The magic and the versions come first, and stay as they are in every version. */
export function encodeHello(hello: Hello, versions: VersionRange): Uint8Array {
  const json = encodeJson(hello);
  const bytes = new Uint8Array(PREFIX_BYTES + json.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, versions.oldest, true);
  view.setUint16(6, versions.newest, true);
  bytes.set(json, PREFIX_BYTES);
  return bytes;
}

/** The version to speak, or null where there is none that both sides know; throws MR-TASK-BAD-FRAME. */
export function agreeOnVersion(hello: Uint8Array): number | null {
  const view = new DataView(hello.buffer, hello.byteOffset, hello.length);
  if (hello.length < PREFIX_BYTES || view.getUint32(0, true) !== MAGIC) throw badMessage('a greeting that is none');
  const [oldest, newest] = [view.getUint16(4, true), view.getUint16(6, true)];
  const version = Math.min(newest, PROTOCOL.newest);
  return version >= oldest && version >= PROTOCOL.oldest ? version : null;
}

export function decodeHello(bytes: Uint8Array): Hello {
  const value = decodeJson(bytes.subarray(PREFIX_BYTES));
  return {
    jobId: textOf(value, 'jobId'),
    attempt: numberOf(value, 'attempt', Number.MAX_SAFE_INTEGER),
    from: textOf(value, 'from'),
    to: textOf(value, 'to'),
    credits: numberOf(value, 'credits', MAX_CREDITS),
    nonce: textOf(value, 'nonce'),
  };
}

export function decodeWelcome(bytes: Uint8Array): Welcome {
  const value = decodeJson(bytes);
  return {
    version: numberOf(value, 'version', PROTOCOL.newest),
    credits: numberOf(value, 'credits', MAX_CREDITS),
    nonce: textOf(value, 'nonce'),
    proof: textOf(value, 'proof'),
  };
}

export function decodeProof(bytes: Uint8Array): string {
  return textOf(decodeJson(bytes), 'proof');
}

export function decodeReason(bytes: Uint8Array): string {
  // It goes to logs: printable, and not too long.
  return textOf(decodeJson(bytes), 'reason').replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_REASON_LENGTH);
}

export function encodeJson(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** What only those who know the token can say about this connection; everybody where there is none. */
export function proofOf(
  role: 'connects' | 'accepts',
  token: string | null,
  { jobId, attempt, from, to, nonce }: Hello,
  { version, nonce: otherNonce }: Pick<Welcome, 'version' | 'nonce'>,
): string {
  const said = JSON.stringify([role, version, jobId, attempt, from, to, nonce, otherNonce]);
  return createHmac('sha256', token ?? '').update(said).digest('hex');
}

export function isSameProof(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function decodeJson(bytes: Uint8Array): object {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below.
  }
  throw badMessage('a greeting that is none');
}

function textOf(value: object, name: string): string {
  const text: unknown = Reflect.get(value, name);
  if (typeof text !== 'string') throw badMessage(`a greeting without ${name}`);
  return text;
}

function numberOf(value: object, name: string, max: number): number {
  const number: unknown = Reflect.get(value, name);
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0 || number > max) {
    throw badMessage(`a greeting without ${name}`);
  }
  return number;
}
