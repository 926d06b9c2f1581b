import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { nodePorts } from '../../src/core/node-ports.ts';
import type { CheckpointStorage, StateFile } from '../../src/core/index.ts';
import { LocalCopies, openCheckpointStorage } from '../../src/state/index.ts';
import { getS3, uniqueName } from '../environment/index.ts';

jest.setTimeout(120_000);

const PLENTY = 1_000_000_000;
/** More than one part of an upload. */
const STATE_BYTES = 9 * 1024 * 1024;

interface CountingProxy {
  readonly url: string;
  /** Of the answers to all GETs so far. */
  readonly downloadedBytes: number;
  close(): Promise<void>;
}

/** Passes everything on, and counts what is downloaded. */
async function startCountingProxy(target: string): Promise<CountingProxy> {
  let downloadedBytes = 0;
  const server = createServer((incoming, outgoing) => {
    const { method, url = '/', headers } = incoming;
    const passed = request(new URL(url, target), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
      if (method === 'GET') answer.on('data', (chunk: Buffer) => (downloadedBytes += chunk.length));
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get downloadedBytes() {
      return downloadedBytes;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

let folder: string;
let proxy: CountingProxy;
let storage: CheckpointStorage;
const problems: string[] = [];

beforeEach(async () => {
  const { endpoint, bucket, accessKeyId, secretAccessKey } = await getS3();
  proxy = await startCountingProxy(endpoint);
  folder = mkdtempSync(join(tmpdir(), 'millrace-copies-'));
  const s3 = { endpoint: proxy.url, accessKeyId, secretAccessKey };
  storage = openCheckpointStorage({ kind: 's3', bucket, prefix: uniqueName('copies'), s3 }, nodePorts);
  problems.length = 0;
});

afterEach(async () => {
  await proxy.close();
  rmSync(folder, { recursive: true, force: true });
});

/** As a slot of a TaskManager opens it. */
function slot(name: string, taskManager: string): LocalCopies {
  const directory = join(folder, taskManager);
  const onProblem = (problem: string): number => problems.push(problem);
  return new LocalCopies({ directory, slot: name, job: 'job', maxBytes: PLENTY, storage, ports: nodePorts, onProblem });
}

async function readAll(from: CheckpointStorage, file: StateFile): Promise<{ isLocal: boolean; bytes: Uint8Array }> {
  const reader = await from.openFile(file);
  const bytes = await reader.read(8, STATE_BYTES);
  const { isLocal = false } = reader;
  await reader.close();
  return { isLocal, bytes };
}

describe('copies of state files that are in S3', () => {
  it('spare restores the download where they were written, and one of two elsewhere', async () => {
    const state = Buffer.alloc(STATE_BYTES, 'some state of some keys');
    const writer = await slot('tm-0', 'tm').createFile(7, 'owner');
    await writer.append(state);
    const file = await writer.finish();

    let before = proxy.downloadedBytes;
    const here = await readAll(slot('tm-1', 'tm'), file);
    expect([here.isLocal, Buffer.compare(here.bytes, state)]).toEqual([true, 0]);
    expect(proxy.downloadedBytes).toBe(before);

    const elsewhere = await readAll(slot('other-0', 'other'), file);
    expect([elsewhere.isLocal, Buffer.compare(elsewhere.bytes, state)]).toEqual([false, 0]);
    expect(proxy.downloadedBytes - before).toBe(file.sizeBytes);
    before = proxy.downloadedBytes;
    expect((await readAll(slot('other-0', 'other'), file)).isLocal).toBe(true);
    expect(proxy.downloadedBytes).toBe(before);

    const first = slot('tm-0', 'tm');
    await first.completed(8);
    expect(readdirSync(join(folder, 'tm/tm-0/job'))).toEqual([]);
    expect((await readAll(first, file)).isLocal).toBe(false);
    expect(problems).toEqual([]);
  });
});
