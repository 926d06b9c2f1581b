import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  crc32c,
  sealEnvelope,
  type CheckpointMetadata,
  type CheckpointStorage,
  type StateFile,
} from '../../core/index.ts';
import {
  checkpointStorageContract,
  codeOf,
  countingRandomness,
  damages,
  SimulatedDisk,
  systemError,
  type DiskOperation,
  type MountedDisk,
} from '../../testing/index.ts';
import { DirectoryStorage } from './directory-storage.ts';

const ROOT = '/data/job/checkpoints';

const randomness = countingRandomness();

function storageOn(mounted: MountedDisk): CheckpointStorage {
  return new DirectoryStorage(ROOT, { files: mounted.files, randomness });
}

function newStorage(): { readonly disk: SimulatedDisk; readonly storage: CheckpointStorage } {
  const disk = new SimulatedDisk();
  return { disk, storage: storageOn(disk.mount()) };
}

async function writeFile(storage: CheckpointStorage, chunks: readonly Uint8Array[]): Promise<StateFile> {
  const writer = await storage.createFile(7, 'vertex_0_1');
  for (const chunk of chunks) await writer.append(chunk);
  return writer.finish();
}

function metadataOf(checkpointId: number, files: readonly StateFile[] = []): CheckpointMetadata {
  const schema = { kind: 'test', version: 1, key: { fields: [] }, values: { fields: [] }, settings: {} };
  const operators = files.map((file) => ({ stepId: 'step', schema, file, chunks: [3, 8, 2] }));
  const subtask = { subtaskIndex: 0, splits: [], watermarkMs: null, operators, committables: [], isFinished: true };
  return {
    version: 1,
    jobName: 'job',
    checkpointId,
    kind: 'checkpoint',
    generation: 2,
    triggeredAtMs: 1,
    completedAtMs: 2,
    maxParallelism: 128,
    vertices: [{ vertexId: 'v', stepIds: ['step'], parallelism: 1, subtasks: [subtask] }],
  } as unknown as CheckpointMetadata;
}

describe('the contract of checkpoint storages', () => {
  it.each(checkpointStorageContract)('in a directory: $title', async ({ run }) => {
    const disk = new SimulatedDisk();
    await run({
      open: () => storageOn(disk.mount()),
      bytesOf: (name) => disk.peek(`${ROOT}/${name}`),
      replace: (name, bytes) => disk.poke(`${ROOT}/${name}`, bytes),
      locationOf: ({ name }) => `${ROOT}/${name.split('/')[0] ?? ''}`,
    });
  });
});

const CHUNKS = [Uint8Array.of(1, 2, 3), new Uint8Array(0), Buffer.from('some state of some keys')];

describe('state files', () => {
  it('give back every chunk at the position that append() told', async () => {
    const sizes = fc.oneof(fc.nat(20), fc.integer({ min: 500_000, max: 1_200_000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(sizes, { maxLength: 5 }), async (lengths) => {
        const { storage, disk } = newStorage();
        const writer = await storage.createFile(7, 'owner');
        const positions: number[] = [];
        const bytes = new Uint8Array(1_200_000);
        for (const [index, length] of lengths.entries()) {
          // The buffer is the caller's again once append() has resolved.
          positions.push(await writer.append(bytes.fill(index + 1).subarray(0, length)));
        }
        const file = await writer.finish();
        expect(file).toMatchObject({ sizeBytes: disk.peek(`${ROOT}/${file.name}`).length });
        const reader = await storage.openFile(file);
        for (const [index, length] of lengths.entries()) {
          const chunk = await reader.read(positions[index] as number, length);
          expect(Buffer.compare(chunk, Buffer.alloc(length, index + 1))).toBe(0);
        }
        await reader.close();
      }),
      { numRuns: 30 },
    );
  });

  it('have a name with the checkpoint, the owner and chance, and a checksum of all bytes', async () => {
    const { storage, disk } = newStorage();
    const [one, other] = [await writeFile(storage, CHUNKS), await writeFile(storage, CHUNKS)];
    expect(one.name).toMatch(/^chk-7\/vertex_0_1-[0-9a-f]{16}\.state$/);
    expect(other.name).not.toBe(one.name);
    expect(other.checksum).toBe(one.checksum);
    expect((await writeFile(storage, [Uint8Array.of(1, 2, 4)])).checksum).not.toBe(one.checksum);
    expect(parseInt(one.checksum, 16)).toBe(crc32c(disk.peek(`${ROOT}/${one.name}`)));
  });

  it('are not opened with any bit flipped, any byte missing or one too many', async () => {
    const { storage, disk } = newStorage();
    const file = await writeFile(storage, CHUNKS);
    const path = `${ROOT}/${file.name}`;
    for (const [what, bytes] of damages(disk.peek(path))) {
      disk.poke(path, bytes);
      expect([what, await codeOf(storage.openFile(file))]).toEqual([what, 'MR-STATE-DAMAGED']);
    }
  });

  it('are not opened where another sound file has taken their place, or none is there', async () => {
    const { storage, disk } = newStorage();
    const file = await writeFile(storage, [Uint8Array.of(1)]);
    const other = await writeFile(storage, [Uint8Array.of(2)]);
    disk.poke(`${ROOT}/${file.name}`, disk.peek(`${ROOT}/${other.name}`));
    expect(await codeOf(storage.openFile(file))).toBe('MR-STATE-DAMAGED');
    await storage.remove(file.name);
    expect(await codeOf(storage.openFile(file))).toBe('MR-STATE-DAMAGED');
  });

  it('of a newer version are refused as such', async () => {
    const { storage, disk } = newStorage();
    const file = await writeFile(storage, CHUNKS);
    const newer = sealEnvelope({ magic: 'MRST', version: 2 }, Buffer.from('anything'));
    disk.poke(`${ROOT}/${file.name}`, newer);
    const checksum = crc32c(newer).toString(16).padStart(8, '0');
    await expect(storage.openFile({ ...file, sizeBytes: newer.length, checksum })).rejects.toMatchObject({
      code: 'MR-STATE-NEWER-VERSION',
      fields: { version: 2, known: 1 },
    });
  });

  it('are read within their bounds only', async () => {
    const { storage, disk } = newStorage();
    const file = await writeFile(storage, CHUNKS);
    const reader = await storage.openFile(file);
    expect(await codeOf(reader.read(8, file.sizeBytes))).toBe('MR-STATE-DAMAGED');
    expect(await codeOf(reader.read(8, 2 ** 50))).toBe('MR-STATE-DAMAGED');
    disk.poke(`${ROOT}/${file.name}`, new Uint8Array(10));
    expect(await codeOf(reader.read(8, 3))).toBe('MR-STATE-DAMAGED');
  });

  it.each(['../../secret', 'chk-1/../../x', 'notes.txt', ''])('are never opened by the name %j', async (name) => {
    const { storage, disk } = newStorage();
    disk.hook = ({ path }) => {
      throw systemError('EIO', path);
    };
    expect(await codeOf(storage.openFile({ name, sizeBytes: 24, checksum: '00000000' }))).toBe('MR-STATE-DAMAGED');
    expect(await codeOf(storage.readMetadata({ name, sizeBytes: 24, checksum: '0' }))).toBe('MR-STATE-DAMAGED');
  });

  it('leave nothing behind when they are given up', async () => {
    const { storage, disk } = newStorage();
    const writer = await storage.createFile(7, 'owner');
    await writer.append(new Uint8Array(2_000_000));
    await writer.abort();
    await writer.abort();
    expect(disk.paths()).toEqual([]);
  });
});

describe('a disk that is full', () => {
  it('at any byte is told as that, leaves no file, and is no obstacle once there is room', async () => {
    const { storage, disk } = newStorage();
    const { sizeBytes } = await writeFile(storage, CHUNKS);
    const before = disk.paths();
    for (let free = 0; free < sizeBytes; free++) {
      disk.capacityBytes = sizeBytes + free;
      expect([free, await codeOf(writeFile(storage, CHUNKS))]).toEqual([free, 'MR-STATE-FULL']);
      expect(disk.paths()).toEqual(before);
    }
    disk.capacityBytes = 2 * sizeBytes;
    expect(await codeOf(writeFile(storage, CHUNKS))).toBe('resolved');
  });

  it('is told by append() too, once it is known', async () => {
    const { storage, disk } = newStorage();
    disk.capacityBytes = 1_000_000;
    const writer = await storage.createFile(7, 'owner');
    const appendAll = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) await writer.append(new Uint8Array(100_000));
    };
    expect(await codeOf(appendAll())).toBe('MR-STATE-FULL');
    expect(await codeOf(writer.append(Uint8Array.of(1)))).toBe('MR-STATE-FULL');
    expect(await codeOf(writer.finish())).toBe('MR-STATE-FULL');
    expect(disk.paths()).toEqual([]);
  });

  it('leaves no metadata', async () => {
    const { storage, disk } = newStorage();
    const { sizeBytes } = await storage.writeMetadata(metadataOf(3));
    const before = disk.paths();
    for (let free = 0; free < sizeBytes; free++) {
      disk.capacityBytes = sizeBytes + free;
      expect([free, await codeOf(storage.writeMetadata(metadataOf(4)))]).toEqual([free, 'MR-STATE-FULL']);
      expect(disk.paths()).toEqual(before);
    }
  });
});

/** Writes a state file and metadata that names it; tells what was promised before the disk gave up. */
async function writeCheckpoint(storage: CheckpointStorage, promised: StateFile[]): Promise<void> {
  const state = await writeFile(storage, CHUNKS);
  promised.push(state);
  promised.push(await storage.writeMetadata(metadataOf(7, [state])));
}

async function operationsOfCheckpoint(): Promise<readonly DiskOperation[]> {
  const { storage, disk } = newStorage();
  const seen: DiskOperation[] = [];
  disk.hook = (operation, phase) => {
    if (phase === 'before') seen.push(operation);
  };
  await writeCheckpoint(storage, []);
  return seen;
}

describe('operations that fail', () => {
  it.each(['EIO', 'EROFS', 'EACCES', 'ENOSPC'])('with %s leave what was promised, and nothing else', async (code) => {
    let hits = 0;
    const operations = await operationsOfCheckpoint();
    for (const { index, name } of operations) {
      for (const when of ['before', 'after'] as const) {
        const { storage, disk } = newStorage();
        const seen = { isHit: false };
        disk.hook = (operation, phase) => {
          if (operation.index !== index || phase !== when) return;
          seen.isHit = true;
          throw systemError(code, operation.path);
        };
        const promised: StateFile[] = [];
        const outcome = await codeOf(writeCheckpoint(storage, promised));
        disk.hook = null;
        const what = [when, index, name];
        // What may not be read need not be made durable.
        const isTolerated = outcome === 'resolved' && code === 'EACCES' && name === 'sync-directory';
        const expected = !seen.isHit ? 'resolved' : code === 'ENOSPC' ? 'MR-STATE-FULL' : 'MR-STATE-UNAVAILABLE';
        if (!isTolerated) expect([...what, outcome]).toEqual([...what, expected]);
        hits += seen.isHit ? 1 : 0;
        const visible = disk.paths().filter((path) => !path.endsWith('.tmp'));
        expect([...what, visible]).toEqual([...what, promised.map((file) => `${ROOT}/${file.name}`).sort()]);
      }
    }
    expect(hits).toBeGreaterThan(operations.length);
  });

  it('nobody was told of are found by reading back', async () => {
    const { storage, disk } = newStorage();
    disk.hook = ({ name, path }, phase) => {
      if (name !== 'append' || phase !== 'after') return;
      disk.hook = null;
      const bytes = disk.peek(path);
      bytes[9] = (bytes[9] as number) ^ 4;
      disk.poke(path, bytes);
    };
    await expect(writeFile(storage, CHUNKS)).rejects.toMatchObject({
      code: 'MR-STATE-UNAVAILABLE',
      fields: { operation: 'write', reason: 'it does not read back as written: its checksum is wrong' },
    });
    expect(disk.paths()).toEqual([]);
  });

  it('while reading are told as that, not as damage', async () => {
    const { storage, disk } = newStorage();
    const file = await writeFile(storage, CHUNKS);
    disk.hook = ({ path }) => {
      throw systemError('EIO', path);
    };
    expect(await codeOf(storage.openFile(file))).toBe('MR-STATE-UNAVAILABLE');
    expect(await codeOf(storage.list())).toBe('MR-STATE-UNAVAILABLE');
    expect(await codeOf(storage.remove(file.name))).toBe('MR-STATE-UNAVAILABLE');
    expect(await codeOf(storage.findMetadata('/data'))).toBe('MR-STATE-UNAVAILABLE');
  });
});

describe('a loss of power between any two operations', () => {
  it('leaves whole files or none, and all that were promised', async () => {
    const count = (await operationsOfCheckpoint()).length;
    await fc.assert(
      fc.asyncProperty(fc.nat(count), fc.nat(), async (last, seed) => {
        const disk = new SimulatedDisk();
        const mounted = disk.mount();
        disk.hook = ({ index }) => {
          if (index >= last) mounted.kill();
        };
        const promised: StateFile[] = [];
        await codeOf(writeCheckpoint(storageOn(mounted), promised));
        disk.losePower(seed);
        await expectWholeOrNone(disk, promised);
      }),
      { numRuns: 400 },
    );
  });

  async function expectWholeOrNone(disk: SimulatedDisk, promised: readonly StateFile[]): Promise<void> {
    const storage = storageOn(disk.mount());
    const [state, metadata] = promised;
    if (state !== undefined) await (await storage.openFile(state)).close();
    if (metadata !== undefined) expect((await storage.readMetadata(metadata)).checkpointId).toBe(7);
    for (const name of await storage.list()) {
      if (name.endsWith('.tmp')) continue;
      const bytes = disk.peek(`${ROOT}/${name}`);
      if (name.endsWith('.state')) {
        expect(Buffer.compare(bytes, sealEnvelope({ magic: 'MRST', version: 1 }, Buffer.concat(CHUNKS)))).toBe(0);
      } else {
        const found = await storage.readMetadata(await storage.findMetadata(`${ROOT}/${name}`));
        expect(found).toEqual(metadataOf(7, promised.slice(0, 1)));
      }
    }
  }
});

describe('listing and removing', () => {
  it('name every file, those half written too, and nothing else', async () => {
    const { storage, disk } = newStorage();
    expect(await storage.list()).toEqual([]);
    const state = await writeFile(storage, CHUNKS);
    const metadata = await storage.writeMetadata(metadataOf(8));
    await storage.createFile(9, 'dead');
    const { files } = disk.mount();
    await files.writeText(`${ROOT}/readme.txt`, '');
    await files.writeText(`${ROOT}/chk-9/.hidden`, '');
    const listed = await storage.list();
    const halfWritten: unknown = expect.stringMatching(/^chk-9\/dead-[0-9a-f]{16}\.state\.tmp$/);
    expect(listed).toEqual([state.name, metadata.name, halfWritten]);
    for (const name of listed) await storage.remove(name);
    await storage.remove(state.name);
    expect(disk.paths()).toEqual([`${ROOT}/chk-9/.hidden`, `${ROOT}/readme.txt`]);
    expect(disk.find(`${ROOT}/chk-7`)).toBeNull();
  });

  it('touch nothing elsewhere', async () => {
    const { storage } = newStorage();
    expect(await codeOf(storage.remove('/backup/chk-1/a.state'))).toBe('MR-INTERNAL');
    expect(await codeOf(storage.remove('chk-1/../../other'))).toBe('MR-INTERNAL');
  });

  it('do not get in the way of one who is about to write to the directory that has become empty', async () => {
    const { storage, disk } = newStorage();
    const cleaner = disk.mount();
    let removals = 0;
    disk.hook = ({ name, path }, phase) => {
      if (name !== 'make-directory' || phase !== 'after' || !path.endsWith('chk-7') || removals === 2) return;
      removals++;
      disk.change(path, (entries, directory) => entries.delete(directory));
    };
    expect(await codeOf(writeFile(storage, CHUNKS))).toBe('resolved');
    expect([removals, cleaner.isAlive]).toEqual([2, true]);
  });
});
