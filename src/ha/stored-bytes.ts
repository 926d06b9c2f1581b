/**
 * A value of the fenced store as it is kept: an envelope around a header (JSON, after its length as uint32, little
 * endian) and the value. The header names the key, so that a value is never taken for another's, and the operation that
 * wrote it, so that a write whose answer was lost is recognised.
 */
import { openEnvelope, readShape, sealEnvelope, shape } from '../core/index.ts';
import { haErrors } from './errors.ts';
import { parseJson } from './parse-json.ts';

export interface StoredBytes {
  readonly key: string;
  readonly version: number;
  readonly operationId: string;
  readonly value: Uint8Array;
}

const ENVELOPE = { magic: 'MRHV', version: 1 };
const LENGTH_BYTES = 4;
const MAX_VALUE_BYTES = 512 * 1024;

const headerShape = shape.fields({ key: shape.text, version: shape.integer(0), operationId: shape.text });

/** Throws MR-HA-TOO-LARGE. */
export function sealStored({ key, version, operationId, value }: StoredBytes): Uint8Array {
  if (value.length > MAX_VALUE_BYTES) {
    throw haErrors.create('MR-HA-TOO-LARGE', { record: key, sizeBytes: value.length, maxBytes: MAX_VALUE_BYTES });
  }
  const header = Buffer.from(JSON.stringify({ key, version, operationId }));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(header.length);
  return sealEnvelope(ENVELOPE, Buffer.concat([length, header, value]));
}

/** Throws MR-HA-DAMAGED and MR-HA-NEWER-VERSION; `file` is where it stands, `key` whose it should be, if known. */
export function openStored(bytes: Uint8Array, file: string, key: string | null): StoredBytes {
  const damaged = (reason: string): Error =>
    haErrors.create('MR-HA-DAMAGED', { file, record: key === null ? 'a value of the cluster' : key, reason });
  const opened = openEnvelope(ENVELOPE, bytes);
  if (opened.kind === 'damaged') throw damaged(opened.reason);
  if (opened.kind === 'newer') {
    throw haErrors.create('MR-HA-NEWER-VERSION', { file, version: opened.version, known: ENVELOPE.version });
  }
  const body = Buffer.from(opened.body);
  const headerEnd = LENGTH_BYTES + (body.length < LENGTH_BYTES ? 0 : body.readUInt32LE(0));
  const reading = readShape(headerShape, parseJson(body.subarray(LENGTH_BYTES, headerEnd)));
  if (reading.kind === 'refused') throw damaged(`its header: ${reading.reason}`);
  const header = reading.value;
  if (key !== null && header.key !== key) throw damaged(`it is the value of ${header.key}`);
  return { ...header, value: new Uint8Array(body.subarray(headerEnd)) };
}
