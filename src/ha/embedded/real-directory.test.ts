import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodePorts } from '../../core/node-ports.ts';
import { openEmbeddedStore } from './embedded-store.ts';

let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-store-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const source = (path: string): string => JSON.stringify(join(process.cwd(), 'src', path));

/** Raises the generation again and again, and prints each version that was acknowledged. */
function writerProgram(): string {
  return `
    const { nodePorts } = await import(${source('core/node-ports.ts')});
    const { openEmbeddedStore } = await import(${source('ha/index.ts')});
    const store = openEmbeddedStore({ directory: ${JSON.stringify(directory)}, ports: nodePorts });
    let found = await store.read('job');
    let expected = found?.version ?? null;
    const record = {
      version: 1, jobName: 'job', clusterId: 'c', runs: [], nextCheckpointId: 0, checkpoints: [], maxParallelism: 128,
      isFinished: false, tombstones: [],
    };
    for (;;) {
      expected = await store.write({ ...record, generation: (expected ?? -1) + 1 }, expected);
      console.log(expected);
    }
  `;
}

/** Resolves to the last version that the writer had acknowledged when it was killed, which is `from` or later. */
async function killWriterAfter(from: number): Promise<{ readonly acknowledged: number; readonly processId: number }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', writerProgram()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let acknowledged = -1;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line);
      if (acknowledged >= from) child.kill('SIGKILL');
    }
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
  return { acknowledged, processId: child.pid ?? -1 };
}

describe('a store in a real directory', () => {
  it('has everything that was acknowledged when its process is killed, and needs no hands', async () => {
    let from = 0;
    for (let round = 0; round < 4; round++) {
      const { acknowledged } = await killWriterAfter(from);
      expect(acknowledged).toBeGreaterThanOrEqual(from);
      const store = openEmbeddedStore({ directory, ports: nodePorts });
      const found = await store.read('job');
      expect(found?.version).toBeGreaterThanOrEqual(acknowledged);
      expect(found?.record.generation).toBe(found?.version);
      await store.close();
      from = (found?.version ?? 0) + 3;
    }
  });

  it('is for one at a time', async () => {
    const first = openEmbeddedStore({ directory, ports: nodePorts });
    const second = openEmbeddedStore({ directory, ports: nodePorts });
    expect(await first.read('Job Name')).toBeNull();
    const owner = `process ${process.pid}`;
    await expect(second.read('Job Name')).rejects.toMatchObject({ code: 'MR-HA-LOCKED', fields: { owner } });
    await first.close();
    expect(await second.read('Job Name')).toBeNull();
    await second.close();
  });

  it('says so where it cannot be made', async () => {
    const file = join(directory, 'file');
    await nodePorts.files.writeText(file, '');
    const store = openEmbeddedStore({ directory: file, ports: nodePorts });
    await expect(store.read('job')).rejects.toMatchObject({ code: 'MR-HA-UNAVAILABLE' });
  });
});
