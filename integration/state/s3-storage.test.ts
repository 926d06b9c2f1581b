import { CreateMultipartUploadCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';

import type { S3Services } from '../../scripts/services/index.ts';
import { nodePorts } from '../../src/core/node-ports.ts';
import type { CheckpointStorage, S3Access, StateFile } from '../../src/core/index.ts';
import { openCheckpointStorage } from '../../src/state/index.ts';
import { checkpointStorageContract } from '../../src/testing/index.ts';
import { getS3, uniqueName } from '../environment/index.ts';
import { startFaultyProxy } from './faulty-proxy.ts';

jest.setTimeout(120_000);

let s3: S3Services;
let access: S3Access;
/** Shares no code with the storage. */
let client: S3Client;

beforeAll(async () => {
  s3 = await getS3();
  const { endpoint, accessKeyId, secretAccessKey } = s3;
  access = { endpoint, accessKeyId, secretAccessKey };
  const credentials = { accessKeyId, secretAccessKey };
  client = new S3Client({ endpoint, region: 'eu-central-1', credentials, forcePathStyle: true });
});

const newPrefix = (): string => `${uniqueName('test')}/some job`;

function openStorage(prefix: string, more: S3Access = {}, bucket = s3.bucket): CheckpointStorage {
  return openCheckpointStorage({ kind: 's3', bucket, prefix, s3: { ...access, ...more } }, nodePorts);
}

async function bytesOf(key: string): Promise<Uint8Array> {
  const { Body: body } = await client.send(new GetObjectCommand({ Bucket: s3.bucket, Key: key }));
  if (body === undefined) throw new Error(`${key} has no body`);
  return body.transformToByteArray();
}

async function put(key: string, bytes: Uint8Array): Promise<void> {
  await client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: key, Body: bytes }));
}

async function write(storage: CheckpointStorage, bytes: Uint8Array, checkpointId = 7): Promise<StateFile> {
  const writer = await storage.createFile(checkpointId, 'owner');
  await writer.append(bytes);
  return writer.finish();
}

async function readBack(storage: CheckpointStorage, file: StateFile, length: number): Promise<Buffer> {
  const reader = await storage.openFile(file);
  try {
    return Buffer.from(await reader.read(8, length));
  } finally {
    await reader.close();
  }
}

/** Of which no two stretches are equal. */
function someBytes(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(Math.imul(at + 1, 2_654_435_761) >>> 0, at);
  return bytes;
}

const isEqual = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

describe('the contract of checkpoint storages', () => {
  it.each(checkpointStorageContract)('in S3: $title', async ({ run }) => {
    const prefix = newPrefix();
    await run({
      open: () => openStorage(prefix),
      bytesOf: (name) => bytesOf(`${prefix}/${name}`),
      replace: (name, bytes) => put(`${prefix}/${name}`, bytes),
      locationOf: ({ name }) => `s3://${s3.bucket}/${prefix}/${name.split('/')[0] ?? ''}`,
    });
  });
});

/** Three parts. */
const MANY_BYTES = 18_000_000;

describe('checkpoints in S3', () => {
  it('may be larger than a request, are seen once they are whole, and leave no parts behind', async () => {
    const storage = openStorage(newPrefix());
    const bytes = someBytes(MANY_BYTES);
    const file = await write(storage, bytes);
    expect(await storage.list()).toEqual([file.name]);
    expect(isEqual(await readBack(storage, file, MANY_BYTES), bytes)).toBe(true);

    const given = await storage.createFile(8, 'owner');
    await given.append(bytes);
    const unfinished = (await storage.list()).filter((name) => name.startsWith('chk-8/'));
    expect(unfinished).toEqual([expect.stringMatching(/\.tmp$/)]);
    await given.abort();
    expect(await storage.list()).toEqual([file.name]);
  });

  it('that a process which died had begun to write are found, and removed', async () => {
    const prefix = newPrefix();
    const name = 'chk-3/owner-0011223344556677.state';
    await client.send(new CreateMultipartUploadCommand({ Bucket: s3.bucket, Key: `${prefix}/${name}` }));
    const storage = openStorage(prefix);
    expect(await storage.list()).toEqual([`${name}.tmp`]);
    await storage.remove(`${name}.tmp`);
    expect(await storage.list()).toEqual([]);
  });

  it('are listed page by page, and nothing that is not theirs', async () => {
    const prefix = newPrefix();
    const names = Array.from({ length: 1100 }, (_, n) => `chk-${n}/o-0.state`);
    for (let from = 0; from < names.length; from += 50) {
      await Promise.all(names.slice(from, from + 50).map((name) => put(`${prefix}/${name}`, Buffer.from('x'))));
    }
    await put(`${prefix}/chk-1/deeper/o-0.state`, Buffer.from('x'));
    await put(`${prefix}/other/o-0.state`, Buffer.from('x'));
    await put(`${prefix}2/chk-1/o-0.state`, Buffer.from('x'));
    expect(await openStorage(prefix).list()).toEqual(names.toSorted());
  });
});

describe('what is wrong with the place of checkpoints', () => {
  it.each([
    ['a bucket that is not there', {}, 'no-such-bucket', 'MR-STATE-NO-BUCKET', /no bucket no-such-bucket/],
    ['a wrong secret', { secretAccessKey: 'wrong' }, null, 'MR-STATE-CREDENTIALS', /does not accept/],
    ['an unknown user', { accessKeyId: 'nobody' }, null, 'MR-STATE-CREDENTIALS', /does not accept/],
    ['nobody listening', { endpoint: 'http://127.0.0.1:1' }, null, 'MR-STATE-UNAVAILABLE', /:1: .*ECONNREFUSED/],
  ] as const)('%s, is said', async (_title, more, bucket, code, message) => {
    const storage = openStorage('p', more, bucket ?? s3.bucket);
    // What may pass by itself is tried for some seconds, each time.
    const acts = [() => write(storage, Buffer.from('x')), () => storage.list()];
    for (const act of code === 'MR-STATE-UNAVAILABLE' ? acts.slice(1) : acts) {
      const error: unknown = await act().then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code });
      expect(String(error)).toMatch(message);
      expect(String(error)).not.toContain(s3.secretAccessKey);
    }
  });
});

/** Two parts. */
const SOME_BYTES = 9_000_000;

describe('on a bad line', () => {
  it.each([
    ['an answer of 500', 'error-500', SOME_BYTES],
    ['an answer that asks to slow down', 'slow-down', SOME_BYTES],
    ['a connection that breaks while bytes go up', 'cut-request', SOME_BYTES],
    ['a connection that breaks while an answer comes', 'cut-response', SOME_BYTES],
    ['a lost answer', 'lose-response', SOME_BYTES],
    ['silence', 'stall', 1000],
  ] as const)('%s, now and then, is got over', async (_title, fault, length) => {
    const proxy = await startFaultyProxy(s3.endpoint, fault);
    try {
      const patience = fault === 'stall' ? { timeoutMs: 1500 } : {};
      const storage = openStorage(newPrefix(), { endpoint: proxy.url, ...patience });
      const bytes = someBytes(length);
      const file = await write(storage, bytes);
      expect(isEqual(await readBack(storage, file, length), bytes)).toBe(true);
      // The answer to the start of an upload may have been lost: nobody knows its id but a listing.
      const names = await storage.list();
      expect(names.filter((name) => !name.endsWith('.tmp'))).toEqual([file.name]);
      for (const name of names) await storage.remove(name);
      expect(await storage.list()).toEqual([]);
      expect(proxy.faults).toBeGreaterThan(1);
    } finally {
      await proxy.close();
    }
  });

  it('changed bytes are never accepted', async () => {
    const prefix = newPrefix();
    const file = await write(openStorage(prefix), someBytes(1000));
    const proxy = await startFaultyProxy(s3.endpoint, 'change-bytes');
    try {
      const storage = openStorage(prefix, { endpoint: proxy.url });
      await expect(storage.openFile(file)).rejects.toMatchObject({ code: 'MR-STATE-DAMAGED' });
      await expect(write(storage, someBytes(1000))).rejects.toMatchObject({ code: 'MR-STATE-UNAVAILABLE' });
    } finally {
      await proxy.close();
    }
    expect(await openStorage(prefix).list()).toEqual([file.name]);
  });
});
