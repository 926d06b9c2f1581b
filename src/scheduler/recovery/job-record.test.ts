import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { metadataFileName, stateFileName } from '../../core/index.ts';
import type { CheckpointPointer } from '../../core/index.ts';
import type { JobRecord } from '../../ha/index.ts';
import {
  dueFiles,
  namedFiles,
  newRecord,
  withNextRun,
  withOrigin,
  withoutTombstones,
  withPointer,
  withReservedIds,
} from './job-record.ts';
import type { PointerMove } from './job-record.ts';
import { RunShares } from './run-shares.ts';

const RANDOM = '0123456789abcdef';
const state = (id: number, owner = 'a'): string => stateFileName(id, owner, RANDOM);
const metadata = (id: number): string => metadataFileName(id, 1, RANDOM);

function pointer(checkpointId: number, kind: CheckpointPointer['kind'] = 'checkpoint'): CheckpointPointer {
  const file = { name: metadata(checkpointId), sizeBytes: 1, checksum: '00000000' };
  return { checkpointId, kind, metadata: file, completedAtMs: 0 };
}

const fresh = newRecord('job', 'c0ffee', 128);

function moved(record: JobRecord, checkpointId: number, more: Partial<PointerMove> = {}): JobRecord {
  const files = new Map([...record.checkpoints, pointer(checkpointId)].map((each) => {
    const id = each.checkpointId;
    return [id, [metadata(id), state(id)]] as const;
  }));
  return withPointer(record, {
    pointer: pointer(checkpointId),
    maxParallelism: 128,
    retained: 1,
    files,
    discarded: [],
    needed: [],
    nowMs: 1000,
    ...more,
  });
}

describe('the record of a job', () => {
  it('gets a new run and a block of ids at every start, and loses runs that nothing is left of', () => {
    const first = withNextRun(fresh, { parallelism: 2, tolerableFailures: 3 }, 1, new RunShares());
    expect(first).toEqual({
      ...fresh,
      generation: 1,
      runs: [{ generation: 1, parallelism: 2, tolerableFailures: 3 }],
      nextCheckpointId: 11,
    });
    const second = withNextRun(first, { parallelism: 4 }, 11, new RunShares());
    expect(second.nextCheckpointId).toBe(21);
    const gone = new RunShares();
    gone.add(1);
    expect(withNextRun(second, { parallelism: 1 }, 12, gone).runs).toEqual([
      { generation: 2, parallelism: 4 },
      { generation: 3, parallelism: 1 },
    ]);
  });

  it('never takes ids back', () => {
    const record = withReservedIds(fresh, 100);
    expect(record.nextCheckpointId).toBe(110);
    expect(withReservedIds(record, 5)).toEqual(record);
    expect(withOrigin(record, null, 64)).toEqual({ ...record, maxParallelism: 64 });
    expect(withOrigin(record, pointer(200), 128)).toMatchObject({ nextCheckpointId: 211, checkpoints: [pointer(200)] });
  });

  it('that had finished goes on', () => {
    expect(withOrigin({ ...fresh, isFinished: true, checkpoints: [pointer(3)] }, null, 128)).toEqual({
      ...fresh,
      nextCheckpointId: 11,
    });
  });

  it('refuses a pointer that goes back', () => {
    const record = moved(fresh, 5);
    expect(() => moved(record, 5)).toThrow('checkpoint 5 is not after 5');
    expect(() => moved(record, 4)).toThrow('checkpoint 4 is not after 5');
  });

  it('buries what no retained checkpoint names, with the move of the pointer', () => {
    const two = moved(moved(fresh, 1, { retained: 2 }), 2, { retained: 2 });
    expect([two.checkpoints.length, two.tombstones]).toEqual([2, []]);
    const three = moved(two, 3, { retained: 2 });
    expect(three.checkpoints.map(({ checkpointId }) => checkpointId)).toEqual([2, 3]);
    expect(three.tombstones).toEqual([metadata(1), state(1)].map((name) => ({ name, afterMs: 61_000 })));
    expect(three.nextCheckpointId).toBe(14);
    // Fewer retained than before.
    expect(moved(three, 4).checkpoints).toEqual([pointer(4)]);
  });

  it('keeps files that a retained checkpoint shares, or that the next one will need', () => {
    const one = moved(fresh, 1);
    const files = new Map([
      [1, [metadata(1), state(1), state(1, 'shared'), state(1, 'final')]],
      [2, [metadata(2), state(1, 'shared')]],
    ]);
    const two = moved(one, 2, { files, needed: [state(1, 'final')], discarded: [state(1, 'shared'), state(2, 'x')] });
    expect(two.tombstones.map(({ name }) => name)).toEqual([metadata(1), state(1), state(2, 'x')]);
  });

  it('never buries a savepoint, nor what it shares', () => {
    const record = withOrigin(fresh, pointer(1, 'savepoint'), 128);
    const files = new Map([
      [1, [metadata(1), state(1)]],
      [2, [metadata(2), state(2)]],
    ]);
    const next = moved(record, 2, { files, discarded: [state(1)] });
    expect([next.checkpoints, next.tombstones]).toEqual([[pointer(2)], []]);
  });

  it('buries at least the metadata of a checkpoint of which nothing else is known', () => {
    const next = moved(moved(fresh, 1), 2, { files: new Map() });
    expect(next.tombstones.map(({ name }) => name)).toEqual([metadata(1)]);
  });

  it('removes what is due and not named again', () => {
    const record = moved(moved(moved(fresh, 1), 2), 3, { nowMs: 2000 });
    const named = namedFiles(record.checkpoints, new Map());
    expect(dueFiles(record, named, 61_000)).toEqual([metadata(1), state(1)]);
    expect(dueFiles(record, new Set([state(1)]), 61_000)).toEqual([metadata(1)]);
    const cleaned = withoutTombstones(record, new Set([metadata(1)]), new Set([state(1)]));
    expect(cleaned.tombstones.map(({ name }) => name)).toEqual([metadata(2), state(2)]);
    expect(withoutTombstones(cleaned, new Set(), new Set())).toBe(cleaned);
  });

  it('never buries a file that a retained checkpoint names, whatever is shared', () => {
    const shares = fc.array(fc.uniqueArray(fc.nat(8), { maxLength: 5 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(shares, fc.integer({ min: 1, max: 4 }), (filesOf, retained) => {
        let record = fresh;
        const files = new Map<number, string[]>();
        for (const [index, numbers] of filesOf.entries()) {
          const id = index + 1;
          files.set(id, [metadata(id), ...numbers.map((number) => state(number))]);
          // What is buried is not taken up again: files are written once.
          const buried = new Set(record.tombstones.map(({ name }) => name));
          files.set(id, (files.get(id) ?? []).filter((name) => !buried.has(name)));
          record = moved(record, id, { files, retained });
          expect(record.checkpoints.length).toBe(Math.min(id, retained));
          const named = namedFiles(record.checkpoints, files);
          for (const { name } of record.tombstones) expect(named.has(name)).toBe(false);
        }
        const kept = new Set([...namedFiles(record.checkpoints, files), ...record.tombstones.map(({ name }) => name)]);
        for (const name of [...files.values()].flat()) expect(kept.has(name)).toBe(true);
      }),
    );
  });
});
