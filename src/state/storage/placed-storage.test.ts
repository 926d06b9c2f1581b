import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { CheckpointStorage, CheckpointStorageRoot, StateFile } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import { openCheckpointStorage } from './open-checkpoint-storage.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'placed-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const at = (name: string): CheckpointStorageRoot => ({ kind: 'directory', path: join(folder, name) });

function open(name: string, ...older: readonly CheckpointStorageRoot[]): CheckpointStorage {
  return openCheckpointStorage({ ...at(name), older }, nodePorts);
}

async function write(storage: CheckpointStorage, text: string): Promise<StateFile> {
  const writer = await storage.createFile(1, 'owner');
  await writer.append(Buffer.from(text));
  return writer.finish();
}

async function read(storage: CheckpointStorage, file: StateFile): Promise<string> {
  const reader = await storage.openFile(file);
  const bytes = await reader.read(8, 3);
  await reader.close();
  return Buffer.from(bytes).toString();
}

describe('a job that keeps its checkpoints in another place now', () => {
  it('reads, lists and removes what stands in the old ones', async () => {
    const old = await write(open('old'), 'old');
    const storage = open('new', at('nothing'), at('old'));
    const young = await write(storage, 'new');
    expect([await read(storage, old), await read(storage, young)]).toEqual(['old', 'new']);
    expect(await storage.list()).toEqual([old.name, young.name].sort());
    await storage.remove(old.name);
    expect(await storage.list()).toEqual([young.name]);
    await expect(storage.openFile(old)).rejects.toMatchObject({ code: 'MR-STATE-DAMAGED' });
  });

  it('takes a damaged file for damaged, wherever it stands', async () => {
    const file = await write(open('old'), 'old');
    const path = join(folder, 'old', file.name);
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(1));
    await expect(open('new', at('old')).openFile(file)).rejects.toMatchObject({ code: 'MR-STATE-DAMAGED' });
  });

  it('goes on where an old place cannot be reached', async () => {
    await writeFile(join(folder, 'file'), 'no folder');
    const storage = open('new', at('file'));
    const file = await write(storage, 'new');
    expect(await storage.list()).toEqual([file.name]);
    await storage.remove(file.name);
    expect(await storage.list()).toEqual([]);
  });

  it('finds what somebody names, inside and outside', async () => {
    const storage = open('own');
    await expect(storage.findMetadata('gs://bucket')).rejects.toMatchObject({ code: 'MR-STATE-NOT-FOUND' });
    await expect(storage.findMetadata(join(folder, 'none'))).rejects.toMatchObject({ code: 'MR-STATE-NOT-FOUND' });
  });
});
