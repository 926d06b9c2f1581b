import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RowKind } from '../../core/index.ts';
import type { Value } from '../../core/index.ts';
import { OperatorHarness, driveOperatorAllWays } from '../../testing/index.ts';
import type { InputRow } from '../fixtures/driven.ts';
import { input, leftOf, ranked, reference, rowArbitrary, specArbitrary, textOf } from '../fixtures/reference-top-n.ts';
import type { TopNSpec } from './top-n-operator.ts';
import { UpdatingTopNOperator } from './updating-top-n-operator.ts';

type Row = readonly Value[];

/** Rows are added, some twice; taken back, some that are not there; and replaced. */
const changesArbitrary = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 9 }), fc.nat(), rowArbitrary, fc.integer({ min: 0, max: 2 })),
  { maxLength: 60 },
);

function changesOf(steps: readonly (readonly [number, number, Row, number])[]): InputRow[] {
  const there: Row[] = [];
  return steps.flatMap(([what, which, given, number]): InputRow[] => {
    const values = [...given, number];
    const at = there.length === 0 ? 0 : which % there.length;
    const old = there[at];
    if (what === 9) return [{ values: [...given, 77], rowKind: RowKind.delete }];
    if (old === undefined || what < 5) {
      there.push(values);
      return [{ values, rowKind: RowKind.insert }];
    }
    there.splice(at, 1);
    if (what < 7) return [{ values: old, rowKind: RowKind.delete }];
    there.push(values);
    return [{ values: old, rowKind: RowKind.updateBefore }, { values, rowKind: RowKind.updateAfter }];
  });
}

/** Of rows that are equal the earliest goes. */
function remaining(changes: readonly InputRow[]): Row[] {
  const left: Row[] = [];
  for (const { values, rowKind } of changes) {
    if (rowKind === RowKind.insert || rowKind === RowKind.updateAfter) left.push(values);
    else {
      const at = left.findIndex((row) => textOf(row) === textOf(values));
      if (at >= 0) left.splice(at, 1);
    }
  }
  return left;
}

describe('UpdatingTopNOperator', () => {
  it('keeps the first of the rows that are left, whatever the batches, restores and subtasks', async () => {
    await fc.assert(
      fc.asyncProperty(specArbitrary, changesArbitrary, async (spec, steps) => {
        const rows = changesOf(steps);
        const create = () => new UpdatingTopNOperator(spec);
        const result = await driveOperatorAllWays({ create, input, rows, keys: [spec.keys] });
        expect(leftOf(result.rows)).toEqual(reference(spec, remaining(rows)));
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it('is right after every row', async () => {
    await fc.assert(
      fc.asyncProperty(specArbitrary, changesArbitrary, async (spec, steps) => {
        const harness = await OperatorHarness.open({ create: () => new UpdatingTopNOperator(spec), input });
        const rows = changesOf(steps);
        for (const [index, row] of rows.entries()) {
          await harness.process([row]);
          expect(leftOf(harness.rows)).toEqual(reference(spec, remaining(rows.slice(0, index + 1))));
        }
        await harness.close();
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it('stops and goes on in the middle of the places that a row changes', async () => {
    const by = [{ column: 6, descending: false }];
    const spec: TopNSpec = { stepId: 't', keys: [], by, count: 900, hasRank: true, input, output: ranked };
    const rows = Array.from({ length: 1000 }, (_, number): Row => ['a', null, null, null, null, null, number]);
    const harness = await OperatorHarness.open({ create: () => new UpdatingTopNOperator(spec), input, pauses: 1 });
    await harness.process(rows.map((values) => ({ values })));
    // All but the last 950 go, each from the front.
    const gone = rows.slice(0, 50).map((values) => ({ values, rowKind: RowKind.delete }));
    await harness.process(gone);
    expect(leftOf(harness.rows)).toEqual(reference(spec, rows.slice(50)));
    await harness.close();
  });

  it('holds nothing of rows and keys that are gone', async () => {
    const by = [{ column: 6, descending: true }];
    const spec: TopNSpec = { stepId: 't', keys: [3], by, count: 3, hasRank: false, input, output: input };
    const harness = await OperatorHarness.open({ create: () => new UpdatingTopNOperator(spec), input });
    let stateBytes = 0;
    for (let round = 0; round < 20; round++) {
      const rows = Array.from({ length: 500 }, (_, i): Row => [null, null, null, `${round} ${i % 50}`, null, null, i]);
      await harness.process(rows.map((values) => ({ values })));
      await harness.process(rows.map((values) => ({ values, rowKind: RowKind.delete })));
      if (round === 0) ({ stateBytes } = harness);
      expect(harness.stateBytes).toBeLessThanOrEqual(stateBytes * 2);
    }
    expect(harness.snapshot().chunks).toEqual([]);
    await harness.close();
  });
});
