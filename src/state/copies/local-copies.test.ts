import { describe, expect, it } from '@jest/globals';
import type { CheckpointStorage, OperatorStateHandle, StateFile } from '../../core/index.ts';
import {
  checkpointStorageContract,
  countingRandomness,
  damages,
  SimulatedDisk,
  systemError,
} from '../../testing/index.ts';
import { DirectoryStorage } from '../storage/directory-storage.ts';
import { PlacedStorage } from '../storage/placed-storage.ts';
import { LocalCopies } from './local-copies.ts';

const ROOT = '/far/checkpoints';
const COPIES = '/work/tm/copies';
const STATE = Buffer.from('some state of some keys');
const PLENTY = 1_000_000;

/** A storage far away, and this machine's disk. */
class World {
  readonly far = new SimulatedDisk();
  readonly near = new SimulatedDisk();
  readonly problems: string[] = [];
  readonly #randomness = countingRandomness();

  storage(): CheckpointStorage {
    return new DirectoryStorage(ROOT, { files: this.far.mount().files, randomness: this.#randomness });
  }

  /** As a thread of a slot opens it. */
  slot(slot: string, maxBytes = PLENTY, storage: CheckpointStorage = this.storage()): LocalCopies {
    const ports = { files: this.near.mount().files, randomness: this.#randomness };
    const onProblem = (problem: string): number => this.problems.push(problem);
    return new LocalCopies({ directory: COPIES, slot, job: 'job', maxBytes, storage, ports, onProblem });
  }

  pathOf({ name }: StateFile, slot = 'a'): string {
    return `${COPIES}/${slot}/job/${name}`;
  }
}

async function write(storage: CheckpointStorage, checkpointId = 7, chunks: readonly Uint8Array[] = [STATE]) {
  const writer = await storage.createFile(checkpointId, 'vertex_0_1');
  for (const chunk of chunks) await writer.append(chunk);
  return writer.finish();
}

/** The state in a file, and whether it came from this machine. */
async function read(storage: CheckpointStorage, file: StateFile): Promise<{ text: string; isLocal: boolean }> {
  const reader = await storage.openFile(file);
  const bytes = await reader.read(8, STATE.length);
  const { isLocal = false } = reader;
  await reader.close();
  return { text: Buffer.from(bytes).toString(), isLocal };
}

const LOCAL = { text: STATE.toString(), isLocal: true };
const FROM_AFAR = { text: STATE.toString(), isLocal: false };

/** What a task says of a checkpoint. */
function naming(...files: readonly StateFile[]) {
  return { operators: files.map((file) => ({ file }) as OperatorStateHandle) };
}

describe('a storage with local copies', () => {
  it.each(checkpointStorageContract)('keeps the contract of checkpoint storages: $title', async ({ run }) => {
    const world = new World();
    const storage = world.slot('a');
    await run({
      open: () => storage,
      bytesOf: (name) => world.far.peek(`${ROOT}/${name}`),
      replace: (name, bytes) => {
        world.far.poke(`${ROOT}/${name}`, bytes);
        const copy = `${COPIES}/a/job/${name}`;
        if (world.near.find(copy) !== null) world.near.poke(copy, bytes);
      },
      locationOf: ({ name }) => `${ROOT}/${name.split('/')[0] ?? ''}`,
    });
  });

  it('reads what it wrote without the storage, in other slots of the process too', async () => {
    const world = new World();
    const file = await write(world.slot('a'), 7, [STATE, Buffer.alloc(300_000, 1), STATE]);
    expect(Buffer.compare(world.near.peek(world.pathOf(file)), world.far.peek(`${ROOT}/${file.name}`))).toBe(0);
    world.far.hook = ({ path }) => {
      throw systemError('EIO', path);
    };
    expect(await read(world.slot('a'), file)).toEqual(LOCAL);
    expect(await read(world.slot('b'), file)).toEqual(LOCAL);
    expect(world.problems).toEqual([]);
  });

  it('reads a file from afar where its copy has any bit flipped, any byte missing or one too many', async () => {
    const world = new World();
    const file = await write(world.slot('a'));
    for (const [what, bytes] of damages(world.near.peek(world.pathOf(file)))) {
      world.near.poke(world.pathOf(file), bytes);
      world.problems.length = 0;
      const storage = world.slot('a');
      expect([what, await read(storage, file)]).toEqual([what, FROM_AFAR]);
      expect(world.problems).toEqual([expect.stringContaining('is not used')]);
      // What was read is the copy from now on.
      expect([what, await read(storage, file)]).toEqual([what, LOCAL]);
    }
  });

  it('copies what it reads, once, also where it is found in an older place', async () => {
    const world = new World();
    const file = await write(world.storage());
    const other = new DirectoryStorage('/other', { files: world.far.mount().files, randomness: countingRandomness() });
    // It is there too, and breaks off.
    world.far.makeDirectory('/other/chk-7');
    world.far.create(`/other/${file.name}`);
    world.far.poke(`/other/${file.name}`, world.far.peek(`${ROOT}/${file.name}`).with(0, 0));
    const nowhere = { path: () => other, s3: () => other };
    const storage = world.slot('a', PLENTY, new PlacedStorage(other, [world.storage()], nowhere));
    expect(await read(storage, file)).toEqual(FROM_AFAR);
    const plain = world.slot('b', PLENTY, world.storage());
    expect(await read(plain, file)).toEqual(FROM_AFAR);
    expect(await read(plain, file)).toEqual(LOCAL);
  });

  it('reads on from afar where a copy fails that was whole', async () => {
    const world = new World();
    const storage = world.slot('a');
    const file = await write(storage);
    const reader = await storage.openFile(file);
    world.near.hook = ({ name, path }) => {
      if (name === 'read') throw systemError('EIO', path);
    };
    expect(Buffer.from(await reader.read(8, STATE.length))).toEqual(STATE);
    expect(reader.isLocal).toBe(false);
    await reader.close();
  });

  it('loses no file and no byte of it whichever operation of the local disk fails', async () => {
    const history = async (world: World): Promise<void> => {
      const storage = world.slot('a');
      const first = await write(storage);
      storage.names(7, naming(first));
      const second = await write(storage, 8);
      storage.names(8, naming(second));
      await (await storage.createFile(9, 'owner')).abort();
      await storage.completed(8);
      expect((await read(storage, first)).text).toBe(STATE.toString());
      expect((await read(storage, second)).text).toBe(STATE.toString());
    };
    const calm = new World();
    await history(calm);
    expect(calm.problems).toEqual([]);
    expect(calm.near.operations).toBeGreaterThan(20);
    for (let failing = 0; failing < calm.near.operations; failing++) {
      for (const phase of ['before', 'after']) {
        const world = new World();
        world.near.hook = ({ index, path }, when) => {
          if (index === failing && when === phase) throw systemError('EIO', path);
        };
        await history(world);
      }
    }
  });

  it('copies no more than has room, and goes on where the disk is full', async () => {
    const world = new World();
    const size = (await write(world.slot('x'))).sizeBytes;
    const storage = world.slot('a', 2 * size + 10);
    const files = [await write(storage), await write(storage, 8), await write(storage, 9)];
    expect(world.near.paths().filter((path) => path.startsWith(`${COPIES}/a/`))).toHaveLength(2);
    expect(world.problems).toHaveLength(1);
    expect(await read(storage, files[2] as StateFile)).toEqual(FROM_AFAR);
    storage.names(9, naming(files[2] as StateFile));
    await storage.completed(9);
    expect(await read(storage, files[2] as StateFile)).toEqual(FROM_AFAR);
    expect(await read(storage, files[2] as StateFile)).toEqual(LOCAL);
    // Two are there: those of the slots x and a.
    world.near.capacityBytes = 2 * size + 10;
    const full = await write(world.slot('b'), 10);
    expect(await read(world.slot('b'), full)).toEqual(FROM_AFAR);
    expect(world.near.paths().filter((path) => path.startsWith(`${COPIES}/b/`))).toEqual([]);
  });

  it('keeps what the last completed checkpoint and later ones name', async () => {
    const world = new World();
    const before = world.slot('a');
    const [kept, replaced] = [await write(before, 5), await write(before, 5)];
    // The thread was ended while it wrote.
    await (await before.createFile(6, 'owner')).append(STATE);
    const storage = world.slot('a');
    storage.names(5, naming(kept, replaced));
    const [sixth, aborted] = [await write(storage, 6), await write(storage, 7)];
    storage.names(6, naming(kept, sixth));
    storage.names(7, naming(aborted));
    await storage.aborted(7);
    await storage.completed(5);
    const later = await write(storage, 8);
    const pathsOf = (...files: readonly StateFile[]) => files.map((file) => world.pathOf(file)).sort();
    expect(world.near.paths()).toEqual(pathsOf(kept, replaced, sixth, later));
    await storage.completed(6);
    expect(world.near.paths()).toEqual(pathsOf(kept, sixth, later));
    await storage.remove(later.name);
    expect(world.near.paths()).toEqual(pathsOf(kept, sixth));
  });
});
