import {
  checkEnvelope,
  crc32c,
  ENVELOPE_HEADER_BYTES,
  ENVELOPE_TRAILER_BYTES,
  type EnvelopeKind,
  type OpenFile,
  type StateFile,
  type StateFileObserver,
  systemErrorCode,
} from '../../core/index.ts';
import type { FileSystem } from '../../core/index.ts';
import { stateErrors } from '../errors.ts';

export const STATE_ENVELOPE: EnvelopeKind = { magic: 'MRST', version: 1 };
export const METADATA_ENVELOPE: EnvelopeKind = { magic: 'MRCM', version: 1 };

/** What is read and summed at a time: some tenths of a millisecond for the thread. */
const SLICE_BYTES = 1024 * 1024;

export type Content = Pick<StateFile, 'sizeBytes' | 'checksum'>;

/** What a file is read through, wherever it stands. */
export type ReadableFile = Pick<OpenFile, 'read'>;

/** As StateFile has it. */
export function checksumText(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}

/**
 * Reads all of a file once. Rejects with MR-STATE-DAMAGED where it is not sound or, given `expected`, not that one, and
 * with MR-STATE-NEWER-VERSION. The descriptor is the caller's to close.
 */
export async function checkFile(
  file: ReadableFile,
  path: string,
  kind: EnvelopeKind,
  expected: Content | null,
  likelySize = expected?.sizeBytes ?? SLICE_BYTES,
): Promise<Content> {
  const { header, trailer, checksum, sizeBytes } = await scan(file, likelySize);
  const content = { sizeBytes, checksum: checksumText(crc32c(trailer, checksum)) };
  if (expected !== null) {
    const { sizeBytes: wanted } = expected;
    if (sizeBytes !== wanted) throw damaged(path, `it has ${sizeBytes} bytes instead of ${wanted}`);
    if (content.checksum !== expected.checksum) throw damaged(path, 'its checksum is wrong');
  }
  const check = checkEnvelope(kind, { sizeBytes, header, trailer, checksum });
  if (check.kind === 'damaged') throw damaged(path, check.reason);
  if (check.kind === 'newer') {
    throw stateErrors.create('MR-STATE-NEWER-VERSION', { file: path, version: check.version, known: kind.version });
  }
  return content;
}

/** The same file, whose reads, in order, are shown to `observe`. */
export function observed(file: ReadableFile, observe: StateFileObserver | undefined): ReadableFile {
  if (observe === undefined) return file;
  return {
    read: async (buffer, length, position) => {
      const count = await file.read(buffer, length, position);
      if (count > 0) await observe(buffer.subarray(0, count), position);
      return count;
    },
  };
}

export function damaged(path: string, reason: string): Error {
  return stateErrors.create('MR-STATE-DAMAGED', { file: path, reason });
}

/** Opens a file that must be there. */
export async function openExisting(files: FileSystem, path: string): Promise<OpenFile> {
  try {
    return await files.open(path, 'read');
  } catch (error) {
    throw systemErrorCode(error) === 'ENOENT' ? damaged(path, 'it is missing') : error;
  }
}

/** Fills the buffer from `position` on; resolves to how much there was. */
async function readFully(file: ReadableFile, buffer: Uint8Array, position: number): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const rest = buffer.subarray(length);
    const count = await file.read(rest, rest.length, position + length);
    if (count === 0) break;
    length += count;
  }
  return length;
}

/** Part of a file of this size that was checked before. */
export async function readPart(
  file: ReadableFile,
  path: string,
  sizeBytes: number,
  { position, length }: { readonly position: number; readonly length: number },
): Promise<Uint8Array> {
  if (position + length > sizeBytes) throw damaged(path, 'a chunk lies behind its end');
  const bytes = new Uint8Array(length);
  if ((await readFully(file, bytes, position)) < length) throw damaged(path, 'it has become shorter');
  return bytes;
}

interface Scan {
  readonly sizeBytes: number;
  readonly header: Uint8Array;
  readonly trailer: Uint8Array;
  /** Of everything before the trailer. */
  readonly checksum: number;
}

async function scan(file: ReadableFile, likelySize: number): Promise<Scan> {
  // The end is known once it is reached: as many bytes as a trailer has are held back from the sum.
  const sliceBytes = Math.min(SLICE_BYTES, likelySize + 1);
  const buffer = Buffer.allocUnsafeSlow(ENVELOPE_TRAILER_BYTES + sliceBytes);
  const header = new Uint8Array(ENVELOPE_HEADER_BYTES);
  let held = 0;
  let checksum = 0;
  let sizeBytes = 0;
  for (;;) {
    const count = await file.read(buffer.subarray(held), sliceBytes, sizeBytes);
    if (count === 0) break;
    sizeBytes += count;
    const filled = held + count;
    // Until more than a trailer is there, all of it is held back.
    if (sizeBytes === filled) header.set(buffer.subarray(0, Math.min(filled, ENVELOPE_HEADER_BYTES)));
    held = Math.min(filled, ENVELOPE_TRAILER_BYTES);
    checksum = crc32c(buffer.subarray(0, filled - held), checksum);
    buffer.copyWithin(0, filled - held, filled);
  }
  return { sizeBytes, header, trailer: buffer.subarray(0, held), checksum };
}
