import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addTombstones,
  checkpointIdOf,
  dueTombstones,
  filesOf,
  isCheckpointDirectory,
  metadataFileName,
  orphans,
  stateFileName,
  type Tombstone,
} from './checkpoint-files.ts';
import type { CheckpointMetadata, CheckpointPointer, OperatorStateHandle, StateFile } from './checkpoint.ts';
import { stepId } from './ids.ts';

const RANDOM = '0123456789abcdef';

describe('names of files in checkpoint storage', () => {
  it('tell the checkpoint, whatever the owner is called', () => {
    fc.assert(
      fc.property(fc.nat(), fc.string({ unit: 'grapheme', maxLength: 300 }), (checkpointId, owner) => {
        const name = stateFileName(checkpointId, owner, RANDOM);
        expect(checkpointIdOf(name)).toBe(checkpointId);
        expect(checkpointIdOf(`${name}.tmp`)).toBe(checkpointId);
        expect(name.split('/')).toHaveLength(2);
      }),
    );
  });

  it('tell the checkpoint of metadata', () => {
    expect(checkpointIdOf(metadataFileName(7, 3, RANDOM))).toBe(7);
    expect(isCheckpointDirectory('chk-7')).toBe(true);
  });

  it.each([
    '/chk-1/a.state', '../chk-1/a.state', 'chk-1/../a', 'chk-1/..', 'chk-1/.', 'chk-1', 'chk-1/', 'chk-01/a', 'chk-/a',
    'chk--1/a', 'chk-1/a/b', 'chk-1\\a', 'chk-1/a\n', 'chk-1/\0', 'chk-1/a b', 'chk-99999999999999999/a', 'other/a', '',
  ])('do not include %j', (name) => {
    expect(checkpointIdOf(name)).toBeNull();
  });
});

const file = (name: string): StateFile => ({ name, sizeBytes: 24, checksum: '00000000' });

function checkpoint(id: number, files: readonly string[]): [CheckpointPointer, CheckpointMetadata] {
  const schema = { kind: 'test', version: 1, key: { fields: [] }, values: { fields: [] }, settings: {} };
  const handle = (name: string): OperatorStateHandle => ({ stepId: stepId('s'), schema, file: file(name), chunks: [] });
  const subtask = { subtaskIndex: 0, splits: [], watermarkMs: null, committables: [], isFinished: false };
  const metadata: CheckpointMetadata = {
    version: 1,
    jobName: 'job',
    checkpointId: id,
    kind: 'checkpoint',
    generation: 1,
    triggeredAtMs: 0,
    completedAtMs: 0,
    maxParallelism: 128,
    vertices: [
      { vertexId: 'v', stepIds: [], parallelism: 1, subtasks: [{ ...subtask, operators: files.map(handle) }] },
    ],
  };
  const name = metadataFileName(id, 1, RANDOM);
  return [{ checkpointId: id, kind: 'checkpoint', metadata: file(name), completedAtMs: 0 }, metadata];
}

describe('cleaning up', () => {
  it('knows the files of a checkpoint, those shared by operators once', () => {
    const [pointer, metadata] = checkpoint(4, ['chk-4/a', 'chk-4/a', 'chk-3/b']);
    expect(filesOf(pointer, metadata)).toEqual([pointer.metadata.name, 'chk-4/a', 'chk-3/b']);
  });

  it('buries what left the retained ones but for what those still name', () => {
    const left = filesOf(...checkpoint(3, ['chk-3/a', 'chk-2/shared']));
    const retained = new Set(filesOf(...checkpoint(4, ['chk-4/a', 'chk-2/shared'])));
    expect(addTombstones([], left, retained, 50).map(({ name }) => name)).toEqual([
      metadataFileName(3, 1, RANDOM),
      'chk-3/a',
    ]);
  });

  it('never buries files that an operator pointed to elsewhere', () => {
    expect(addTombstones([], ['/backup/chk-1/a.state', 'chk-1/../../b'], new Set(), 0)).toEqual([]);
  });

  it('keeps the first time of a name that is buried twice', () => {
    const once = addTombstones([], ['chk-1/a'], new Set(), 10);
    expect(addTombstones(once, ['chk-1/a', 'chk-1/b', 'chk-1/b'], new Set(), 20)).toEqual([
      { name: 'chk-1/a', afterMs: 10 },
      { name: 'chk-1/b', afterMs: 20 },
    ]);
  });

  it('leaves files of checkpoints that may still be written alone', () => {
    const listed = ['chk-1/a.state', 'chk-1/b.state.tmp', 'chk-2/kept', 'chk-5/pending', 'notes.txt', 'chk-9/later'];
    expect(orphans(listed, new Set(['chk-2/kept']), 5)).toEqual(['chk-1/a.state', 'chk-1/b.state.tmp']);
  });

  const names = fc.constantFrom(...Array.from({ length: 12 }, (_, i) => `chk-${i >> 2}/${i & 3}`));
  const tombstones = fc.array(fc.record({ name: names, afterMs: fc.nat(20) }));

  it('removes nothing that is retained or not due, and forgets nothing that is neither', () => {
    fc.assert(
      fc.property(tombstones, fc.uniqueArray(names), fc.nat(20), (buried, kept, nowMs) => {
        const retained = new Set(kept);
        const { remove, keep } = dueTombstones(buried, retained, nowMs);
        const due = ({ name, afterMs }: Tombstone): boolean => !retained.has(name) && afterMs <= nowMs;
        expect(new Set(remove)).toEqual(new Set(buried.filter(due).map(({ name }) => name)));
        expect(keep).toEqual(buried.filter(({ name, afterMs }) => !retained.has(name) && afterMs > nowMs));
      }),
    );
  });
});
