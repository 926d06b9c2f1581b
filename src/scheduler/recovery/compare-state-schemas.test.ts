import { describe, expect, it } from '@jest/globals';
import { types } from '../../core/index.ts';
import type { DataType, StateSchema } from '../../core/index.ts';
import { compareStateSchemas } from './compare-state-schemas.ts';

const written: StateSchema = {
  kind: 'window',
  version: 1,
  key: { fields: [{ name: 'region', type: types.string }] },
  values: {
    fields: [
      { name: 'total', type: types.int },
      { name: 'count', type: types.long },
    ],
  },
  settings: { sizeMs: 60_000, layouts: { total: 'sum(int)', count: 'count' } },
};

const withTotal = (type: DataType): StateSchema => ({
  ...written,
  values: { fields: [{ name: 'total', type }, ...written.values.fields.slice(1)] },
});

describe('state that was written with one schema', () => {
  it('is kept by an equal one, whatever its key fields are called', () => {
    expect(compareStateSchemas(written, structuredClone(written))).toEqual({ kind: 'kept' });
    const renamed = { ...written, key: { fields: [{ name: 'area', type: types.string }] } };
    expect(compareStateSchemas(written, renamed)).toEqual({ kind: 'kept' });
  });

  it('is migrated where values were added, dropped or widened', () => {
    const present: StateSchema = {
      ...written,
      values: {
        fields: [
          { name: 'total', type: types.long },
          { name: 'most', type: types.double },
        ],
      },
      settings: { sizeMs: 60_000, layouts: { total: 'sum(int)', most: 'max' } },
    };
    expect(compareStateSchemas(written, present)).toEqual({
      kind: 'migrated',
      reason: 'total is widened from int to long, most is new, count is dropped',
    });
  });

  it.each<[string, StateSchema]>([
    ['it was state of window, and is of aggregate', { ...written, kind: 'aggregate' }],
    ['its encoding has version 1, and this build reads 2', { ...written, version: 2 }],
    ['its key was (string), and is (int)', { ...written, key: { fields: [{ name: 'region', type: types.int }] } }],
    ['sizeMs was 60000, and is 30000', { ...written, settings: { ...written.settings, sizeMs: 30_000 } }],
    ['offsetMs was null, and is 5', { ...written, settings: { ...written.settings, offsetMs: 5 } }],
    ['total was "sum(int)", and is "max"', { ...written, settings: { sizeMs: 60_000, layouts: { total: 'max' } } }],
    ['total was int, and boolean does not hold all of its values', withTotal(types.boolean)],
  ])('cannot be read by another: %s', (reason, present) => {
    expect(compareStateSchemas(written, present)).toEqual({ kind: 'incompatible', reason });
  });

  it.each<[DataType, DataType, boolean]>([
    [types.int, types.long, true],
    [types.int, types.double, true],
    [types.int, types.decimal(10, 0), true],
    [types.int, types.decimal(10, 1), false],
    [types.int, types.float, false],
    [types.long, types.decimal(19, 0), true],
    [types.long, types.double, false],
    [types.long, types.int, false],
    [types.float, types.double, true],
    [types.double, types.float, false],
    [types.decimal(10, 2), types.decimal(12, 4), true],
    [types.decimal(10, 2), types.decimal(12, 5), false],
    [types.decimal(10, 2), types.decimal(10, 1), false],
    [types.string, types.bytes, false],
  ])('of %j is read as %j: %s', (from, to, isWider) => {
    const { kind } = compareStateSchemas(withTotal(from), withTotal(to));
    expect(kind).toBe(isWider ? 'migrated' : 'incompatible');
  });
});
