import { describe, expect, it } from '@jest/globals';
import { stepId } from '../../core/index.ts';
import type { CheckpointMetadata, OperatorStateHandle, StateSchema } from '../../core/index.ts';
import { MemoryCheckpointStorage } from '../../testing/index.ts';
import { writeSavepoint } from './write-savepoint.ts';

const nothing = { fields: [] };
const schema: StateSchema = { kind: 'aggregate', version: 1, key: nothing, values: nothing, settings: {} };

/** A checkpoint of two operators in one file, and output that was committed. */
async function checkpointIn(storage: MemoryCheckpointStorage): Promise<CheckpointMetadata> {
  const writer = await storage.createFile(4, 'task');
  const places = [];
  for (const byte of [1, 2, 3]) places.push(await writer.append(new Uint8Array(byte).fill(byte)));
  const file = await writer.finish();
  const [a = 0, b = 0, c = 0] = places;
  const operators: OperatorStateHandle[] = [
    { stepId: stepId('one'), schema, file, chunks: [0, a, 1, 9, c, 3] },
    { stepId: stepId('two'), schema, file, chunks: [5, b, 2] },
  ];
  const committables = [{ stepId: stepId('out'), subtaskIndex: 0, checkpointId: 4, data: {} }];
  const subtask = { subtaskIndex: 0, splits: [], watermarkMs: 7, operators, committables, isFinished: false };
  return {
    ...{ version: 1, jobName: 'job', checkpointId: 4, kind: 'checkpoint', generation: 2, maxParallelism: 128 },
    ...{ triggeredAtMs: 1, completedAtMs: 2 },
    vertices: [{ vertexId: 'v', stepIds: [stepId('one'), stepId('two')], parallelism: 1, subtasks: [subtask] }],
  };
}

describe('a savepoint', () => {
  it('holds the chunks of its checkpoint, and nothing that has to be committed', async () => {
    const [from, to] = [new MemoryCheckpointStorage(), new MemoryCheckpointStorage()];
    const metadata = await to.readMetadata(await writeSavepoint(await checkpointIn(from), from, to));
    expect(metadata).toMatchObject({ kind: 'savepoint', checkpointId: 4 });
    const [subtask] = metadata.vertices[0]?.subtasks ?? [];
    expect(subtask).toMatchObject({ watermarkMs: 7, committables: [] });
    const found: string[] = [];
    for (const { stepId: step, file, chunks } of subtask?.operators ?? []) {
      const reader = await to.openFile(file);
      for (let at = 0; at < chunks.length; at += 3) {
        found.push(`${step} ${chunks[at]}: ${(await reader.read(chunks[at + 1] ?? 0, chunks[at + 2] ?? 0)).join(' ')}`);
      }
      await reader.close();
    }
    expect(found).toEqual(['one 0: 1', 'one 9: 3 3 3', 'two 5: 2 2']);
  });

  it('leaves nothing where it cannot be written, or where its checkpoint is damaged', async () => {
    const [from, to] = [new MemoryCheckpointStorage(), new MemoryCheckpointStorage()];
    const checkpoint = await checkpointIn(from);
    to.beforeMetadata = () => {
      throw new Error('the disk is full');
    };
    await expect(writeSavepoint(checkpoint, from, to)).rejects.toThrow('the disk is full');
    expect(await to.list()).toEqual([]);
    to.beforeMetadata = null;
    from.damage(checkpoint.vertices[0]?.subtasks[0]?.operators[0]?.file.name ?? '');
    await expect(writeSavepoint(checkpoint, from, to)).rejects.toMatchObject({ code: 'MR-STATE-DAMAGED' });
    expect(await to.list()).toEqual([]);
  });
});
