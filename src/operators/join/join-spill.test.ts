import { describe, it } from '@jest/globals';
import fc from 'fast-check';

import { RowKind } from '../../core/index.ts';
import type { RowSchema } from '../../core/index.ts';
import { checkHistory, historyArbitrary } from '../../testing/index.ts';
import type { InputRow } from '../../testing/index.ts';
import {
  joinSpecOf,
  left,
  LEFT_KEYS,
  leftRow,
  ORDERED,
  right,
  RIGHT_KEYS,
  rightRow,
} from '../fixtures/reference-joins.ts';
import { createJoinOperator } from './create-join-operator.ts';
import type { JoinSpec } from './join-spec.ts';

const SLOW_MS = 180_000;

const sides: { input: RowSchema; keys: readonly number[]; right: { input: RowSchema; keys: readonly number[] } } = {
  input: left,
  keys: LEFT_KEYS,
  right: { input: right, keys: RIGHT_KEYS },
};

/** By event time where `time` is given. */
function rowOf(time: fc.Arbitrary<number> | null, rightKinds: readonly RowKind[]): fc.Arbitrary<InputRow> {
  const timestamp: fc.Arbitrary<{ readonly timestamp?: number }> =
    time === null ? fc.constant({}) : time.map((at) => ({ timestamp: at }));
  return fc.oneof(
    fc.tuple(leftRow, timestamp).map(([values, at]) => ({ values, input: 0, ...at })),
    fc
      .tuple(rightRow, timestamp, fc.constantFrom(...rightKinds))
      .map(([values, at, rowKind]) => ({ values, input: 1, rowKind, ...at })),
  );
}

async function check(spec: JoinSpec, row: fc.Arbitrary<InputRow>, numRuns: number): Promise<void> {
  const create = () => createJoinOperator(spec);
  const property = fc.asyncProperty(historyArbitrary(row), (steps) => checkHistory({ create, ...sides }, steps));
  await fc.assert(property, { numRuns });
}

describe('rows of joins that do not fit memory', () => {
  const types = ['inner', 'left', 'right', 'full', 'semi', 'anti'] as const;

  it.each(types.flatMap((type) => [null, 40].map((ttlMs) => ({ type, ttlMs }))))(
    'are what they are in memory: $type, ttl $ttlMs',
    async ({ type, ttlMs }) => {
      const condition = type === 'inner' || type === 'anti' ? ORDERED : null;
      await check(joinSpecOf(type, null, { condition, ttlMs }), rowOf(null, [RowKind.insert]), 40);
    },
    SLOW_MS,
  );

  const bounds = [
    { kind: 'interval', beforeMs: 20, afterMs: 5 },
    { kind: 'window', sizeMs: 50, offsetMs: 7 },
  ] as const;

  it.each(types.flatMap((type) => bounds.map((within) => ({ type, kind: within.kind, within }))))(
    'are what they are in memory: $type, $kind',
    async ({ type, within }) => {
      const condition = type === 'inner' || type === 'anti' ? ORDERED : null;
      await check(joinSpecOf(type, within, { condition }), rowOf(fc.nat(150), [RowKind.insert]), 100);
    },
    SLOW_MS,
  );

  it.each(['inner', 'left'] as const)(
    'are what they are in memory: versions, %s',
    async (type) => {
      const kinds = [RowKind.insert, RowKind.updateAfter, RowKind.delete];
      await check(joinSpecOf(type, { kind: 'temporal' }), rowOf(fc.nat(300), kinds), 60);
    },
    SLOW_MS,
  );

  const LARGE = 1 << 24;
  const both = Array.from({ length: 40 }, (_, index): InputRow[] => [
    { values: ['a', BigInt(index), null, 1n], input: 0 },
    { values: [1n, BigInt(index), 'a'], input: 1 },
    { values: ['b', BigInt(index), null, 1n], input: 0 },
  ]).flat();
  const rows = { kind: 'rows', rows: both } as const;
  const barrier = { kind: 'barrier', whole: [], taken: 0 } as const;
  const completed = { kind: 'checkpoint-ends', isCompleted: true } as const;
  const restart = (memoryBytes: number | null, parallelism = 1) =>
    ({ kind: 'restart', parallelism, memoryBytes }) as const;

  it.each([
    [
      'come back row by row where keys have left in between',
      [restart(null), rows, barrier, completed, restart(1, 2), rows],
    ],
    [
      'are in a checkpoint as they were at the barrier',
      [restart(LARGE), rows, barrier, rows, completed, restart(LARGE)],
    ],
    ['replace what earlier checkpoints had', [rows, barrier, completed, rows, barrier, completed, restart(null), rows]],
  ])('%s', async (_, steps) => {
    await checkHistory({ create: () => createJoinOperator(joinSpecOf('full', null)), ...sides }, steps);
  });
});
