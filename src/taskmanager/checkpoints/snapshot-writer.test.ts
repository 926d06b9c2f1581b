import { describe, expect, it } from '@jest/globals';
import { nodePorts } from '../../core/node-ports.ts';
import type { CheckpointStorage, OperatorStateHandle, StateSchema, StateSnapshot } from '../../core/index.ts';
import { ManualClock, MemoryCheckpointStorage } from '../../testing/index.ts';
import { DEFAULT_LIMITS } from '../runtime-limits.ts';
import { TaskLoop } from '../task-loop.ts';
import { InFlightRows } from './in-flight-rows.ts';
import { SnapshotWriter } from './snapshot-writer.ts';

const schema: StateSchema = { kind: 'test', version: 1, key: { fields: [] }, values: { fields: [] }, settings: {} };

/** A snapshot of chunks of these sizes, each filled with its number; taking one lasts `costMs` of the clock. */
function snapshotOf(sizes: readonly number[], clock = new ManualClock(), costMs = 0) {
  let next = 0;
  let released = 0;
  const lent = new Uint8Array(Math.max(0, ...sizes));
  const snapshot: StateSnapshot = {
    next() {
      if (released > 0) throw new Error('a chunk was asked for after release()');
      const size = sizes[next];
      if (size === undefined) return null;
      next++;
      clock.advanceTo(clock.nowMs() + costMs);
      return { keyGroup: next, bytes: lent.subarray(0, size).fill(next) };
    },
    release() {
      released++;
    },
  };
  return { snapshot, taken: () => next, releases: () => released };
}

function loopOf(clock: ManualClock) {
  const loop = new TaskLoop({ ...nodePorts, clock }, DEFAULT_LIMITS, () => undefined);
  void loop.run();
  return loop;
}

async function read(storage: CheckpointStorage, { file, chunks }: OperatorStateHandle): Promise<[number, number[]][]> {
  const reader = await storage.openFile(file);
  const found: [number, number[]][] = [];
  for (let at = 0; at < chunks.length; at += 3) {
    const bytes = await reader.read(chunks[at + 1] ?? 0, chunks[at + 2] ?? 0);
    found.push([chunks[at] ?? 0, [...new Set(bytes), bytes.length]]);
  }
  return found;
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await nodePorts.macrotasks.yield();
}

/** Of a barrier that has overtaken nothing. */
function noRows(): InFlightRows {
  const rows = new InFlightRows();
  rows.end();
  return rows;
}

describe('a snapshot on its way to a file', () => {
  it('is one file for all operators, in which every chunk is found again', async () => {
    const clock = new ManualClock();
    const storage = new MemoryCheckpointStorage();
    const loop = loopOf(clock);
    const [first, second, empty] = [snapshotOf([5, 300_000, 7, 200_000, 90_000]), snapshotOf([3]), snapshotOf([])];
    const captures = [first, empty, second].map(({ snapshot }, index) => ({ stepId: `s${index}`, schema, snapshot }));
    const writer = new SnapshotWriter(4, captures, noRows(), { storage, owner: 'me', loop, clock });
    const written = await writer.result;
    expect(written?.operators.map(({ stepId }) => stepId)).toEqual(['s0', 's2']);
    expect(written?.sizeBytes).toBe(590_015);
    const [s0, s2] = written?.operators ?? [];
    if (s0 === undefined || s2 === undefined) throw new Error('there are two');
    expect(s0.file).toEqual(s2.file);
    const sizes = [5, 300_000, 7, 200_000, 90_000];
    expect(await read(storage, s0)).toEqual(sizes.map((size, index) => [index + 1, [index + 1, size]]));
    expect(await read(storage, s2)).toEqual([[1, [1, 3]]]);
    expect([first, second, empty].map(({ releases }) => releases())).toEqual([1, 1, 1]);
    expect(writer.abandon()).toBe(false);
    loop.stop();
  });

  it('is no file where nothing is remembered', async () => {
    const clock = new ManualClock();
    const storage = new MemoryCheckpointStorage();
    const loop = loopOf(clock);
    const { snapshot } = snapshotOf([]);
    const captures = [{ stepId: 's', schema, snapshot }];
    const writer = new SnapshotWriter(4, captures, noRows(), { storage, owner: 'me', loop, clock });
    expect(await writer.result).toEqual({ operators: [], channels: [], sizeBytes: 0 });
    expect(await storage.list()).toEqual([]);
    loop.stop();
  });

  it('takes chunks for no longer than its turn, then others have their turn', () => {
    const clock = new ManualClock();
    const { snapshot, taken } = snapshotOf(new Array<number>(100).fill(10), clock, 0.5);
    const loop = new TaskLoop({ ...nodePorts, clock }, DEFAULT_LIMITS, () => undefined);
    const storage = new MemoryCheckpointStorage();
    const captures = [{ stepId: 's', schema, snapshot }];
    const writer = new SnapshotWriter(4, captures, noRows(), { storage, owner: 'me', loop, clock });
    writer.run(clock.monotonicMs() + writer.turnMs);
    expect(taken()).toBe(8);
    writer.run(clock.monotonicMs() + writer.turnMs);
    expect(taken()).toBe(16);
  });

  it('is dropped where nobody wants it any more: its file is removed, its memory freed', async () => {
    const clock = new ManualClock();
    const storage = new MemoryCheckpointStorage();
    let aborts = 0;
    let open: () => void = () => undefined;
    const slow: CheckpointStorage = Object.assign(Object.create(storage) as CheckpointStorage, {
      createFile: async () => {
        await new Promise<void>((resolve) => {
          open = resolve;
        });
        const file = await storage.createFile(1, 'me');
        return Object.assign(file, {
          append: () => Promise.reject(new Error('appended to a file that nobody wants')),
          abort: async () => {
            aborts++;
          },
        });
      },
    });
    const loop = loopOf(clock);
    const { snapshot, releases } = snapshotOf([300_000, 5]);
    const captures = [{ stepId: 's', schema, snapshot }];
    const writer = new SnapshotWriter(4, captures, noRows(), { storage: slow, owner: 'me', loop, clock });
    await settled();
    expect(writer.abandon()).toBe(true);
    expect(writer.abandon()).toBe(false);
    expect(await writer.result).toBeNull();
    expect(releases()).toBe(1);
    open();
    await settled();
    expect(aborts).toBe(1);
    loop.stop();
  });

  it('leaves no file behind where it is dropped while the file is finished', async () => {
    const clock = new ManualClock();
    const storage = new MemoryCheckpointStorage();
    let finish: () => void = () => undefined;
    const slow: CheckpointStorage = Object.assign(Object.create(storage) as CheckpointStorage, {
      createFile: async () => {
        const file = await storage.createFile(1, 'me');
        return Object.assign({}, file, {
          finish: async () => {
            await new Promise<void>((resolve) => {
              finish = resolve;
            });
            return file.finish();
          },
        });
      },
      remove: (name: string) => storage.remove(name),
    });
    const loop = loopOf(clock);
    const captures = [{ stepId: 's', schema, snapshot: snapshotOf([5]).snapshot }];
    const writer = new SnapshotWriter(4, captures, noRows(), { storage: slow, owner: 'me', loop, clock });
    await settled();
    writer.abandon();
    finish();
    await settled();
    expect(await storage.list()).toEqual([]);
    loop.stop();
  });

  it.each(['createFile', 'append', 'finish'])('fails where %s fails, and frees its memory', async (place) => {
    const clock = new ManualClock();
    const storage = new MemoryCheckpointStorage();
    const fail = (): Promise<never> => Promise.reject(new Error('the disk is full'));
    const file = await storage.createFile(1, 'me');
    const full: CheckpointStorage = Object.assign(Object.create(storage) as CheckpointStorage, {
      createFile: () => (place === 'createFile' ? fail() : Promise.resolve({ ...file, [place]: fail })),
    });
    const loop = loopOf(clock);
    const { snapshot, releases } = snapshotOf([5]);
    const captures = [{ stepId: 's', schema, snapshot }];
    const writer = new SnapshotWriter(4, captures, noRows(), { storage: full, owner: 'me', loop, clock });
    await expect(writer.result).rejects.toThrow('the disk is full');
    expect(releases()).toBe(1);
    loop.stop();
  });
});
