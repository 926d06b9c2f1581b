import { describe, expect, it } from '@jest/globals';
import { stepId } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import type { CheckpointStorage, OperatorState, OperatorStateHandle, StateSchema } from '../../core/index.ts';
import { MemoryCheckpointStorage } from '../../testing/index.ts';
import { restoreState } from './restore-state.ts';
import type { StateSource } from './restore-state.ts';

const schema: StateSchema = { kind: 'test', version: 1, key: { fields: [] }, values: { fields: [] }, settings: {} };

/** One file with these chunks, for as many operators. */
async function stored(
  storage: MemoryCheckpointStorage,
  sizes: readonly (readonly number[])[],
): Promise<OperatorStateHandle[]> {
  const writer = await storage.createFile(1, 'me');
  const lists: number[][] = [];
  let number = 0;
  for (const list of sizes) {
    const chunks: number[] = [];
    for (const size of list) {
      number++;
      chunks.push(number, await writer.append(new Uint8Array(size).fill(number)), size);
    }
    lists.push(chunks);
  }
  const file = await writer.finish();
  return lists.map((chunks, index) => ({ stepId: stepId(`s${index}`), schema, file, chunks }));
}

function around(storage: CheckpointStorage, onRead: StateSource['onRead'] = () => undefined): StateSource {
  return { storage, macrotasks: nodePorts.macrotasks, onRead };
}

function operator() {
  const got: string[] = [];
  const state: OperatorState = {
    schema,
    sizeBytes: 0,
    snapshot: () => {
      throw new Error('nobody asked for that');
    },
    restore: ({ keyGroup, bytes }) => {
      got.push(`${keyGroup}: ${[...new Set(bytes)].join()} x ${bytes.length}`);
    },
  };
  return { state, got };
}

describe('restoring', () => {
  it('tells how much each step was given, and from where', async () => {
    const storage = new MemoryCheckpointStorage();
    const handles = await stored(storage, [[5, 7], [3]]);
    const told: string[] = [];
    const source = (from: CheckpointStorage) =>
      around(from, (step, bytes, isLocal) => told.push(`${step} ${bytes} ${isLocal}`));
    const { state } = operator();
    await restoreState(handles, () => state, source(storage), () => false);
    const reader = await storage.openFile((handles[0] as OperatorStateHandle).file);
    const near: CheckpointStorage = Object.assign(Object.create(storage) as CheckpointStorage, {
      openFile: () => Promise.resolve({ read: reader.read, close: reader.close, isLocal: true }),
    });
    await restoreState(handles.slice(1), () => state, source(near), () => false);
    expect(told).toEqual(['s0 5 false', 's0 7 false', 's1 3 false', 's1 3 true']);
  });

  it('gives every operator the chunks that are listed for it, and no other', async () => {
    const storage = new MemoryCheckpointStorage();
    const [first, second] = await stored(storage, [[5, 700_000, 500_000], [3, 4, 5]]);
    if (first === undefined || second === undefined) throw new Error('there are two');
    const [a, b] = [operator(), operator()];
    const some = { ...second, chunks: [...second.chunks.slice(6), ...second.chunks.slice(0, 3)] };
    await restoreState([some, first], (step) => (step === 's0' ? a.state : b.state), around(storage), () => false);
    expect(a.got).toEqual(['1: 1 x 5', '2: 2 x 700000', '3: 3 x 500000']);
    expect(b.got).toEqual(['4: 4 x 3', '6: 6 x 5']);
  });

  it('touches no file of which nothing is needed', async () => {
    const storage = new MemoryCheckpointStorage();
    const handles = await stored(storage, [[5]]);
    await storage.remove(handles[0]?.file.name ?? '');
    await restoreState(handles.map((handle) => ({ ...handle, chunks: [] })), () => null, around(storage), () => false);
  });

  it('fails with the step and the code of what is wrong', async () => {
    const storage = new MemoryCheckpointStorage();
    const handles = await stored(storage, [[5]]);
    await expect(restoreState(handles, () => null, around(storage), () => false)).rejects.toMatchObject({
      code: 'MR-TASK-STATE-UNCLAIMED',
      fields: { step: 's0' },
    });
    storage.damage(handles[0]?.file.name ?? '');
    await expect(restoreState(handles, () => operator().state, around(storage), () => false)).rejects.toMatchObject({
      code: 'MR-STATE-DAMAGED',
      fields: { step: 's0' },
    });
  });

  it('calls no operator any more once it is cancelled', async () => {
    const storage = new MemoryCheckpointStorage();
    const handles = await stored(storage, [[5, 6, 7]]);
    const { state, got } = operator();
    await restoreState(handles, () => state, around(storage), () => got.length === 2);
    expect(got).toHaveLength(2);
  });
});
