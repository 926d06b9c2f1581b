import { describe, expect, it } from '@jest/globals';
import { canonicalNumber, canonicalRow, RowSums } from './compare.ts';
import type { OutputRecord } from './compare.ts';

describe('canonicalRow', () => {
  it.each([
    ['1.50', '1.5'],
    ['15e-1', '1.5'],
    ['100', '1e2'],
    ['-0.0', '0'],
    ['9007199254740993', '9007199254740993.000'],
  ])('takes %s and %s as one number', (a, b) => {
    expect(canonicalNumber(a)).toBe(canonicalNumber(b));
  });

  it('tells numbers apart that a float64 cannot', () => {
    expect(canonicalRow('{"a":9007199254740993}')).not.toBe(canonicalRow('{"a":9007199254740992}'));
  });

  it('does not care for the order of fields or the spelling of a timestamp', () => {
    const a = '{"b":"2026-01-02T03:04:05.100Z","a":1.0}';
    const b = '{"a":1,"b":"2026-01-02 03:04:05.1"}';
    expect(canonicalRow(a)).toBe(canonicalRow(b));
  });

  it('tells a string from a number, and null from a missing text', () => {
    expect(canonicalRow('{"a":"1"}')).not.toBe(canonicalRow('{"a":1}'));
    expect(canonicalRow('{"a":null}')).not.toBe(canonicalRow('{"a":"null"}'));
  });
});

describe('RowSums', () => {
  const record = (partition: number, id: number | null, value: number | null): OutputRecord => ({
    partition,
    key: id === null ? null : `{"id":${id}}`,
    value: value === null ? null : `{"id":${String(id)},"v":${value}}`,
  });
  const sums = (upsertKey: readonly string[] | null, ...records: readonly OutputRecord[]) => {
    const rows = new RowSums(upsertKey);
    for (const each of records) rows.add(each);
    const { count, sum } = rows.total();
    return { count, sum };
  };

  it('takes records in any order, and each as often as it is there', () => {
    const [a, b] = [record(0, 1, 5), record(1, 2, 6)];
    expect(sums(null, a, b)).toEqual(sums(null, b, a));
    expect(sums(null, a, b)).not.toEqual(sums(null, a, a));
    expect(sums(null, a)).not.toEqual(sums(null, a, a));
  });

  it('takes the last record per key of a changelog, and none where that has no value', () => {
    const last = sums(['id'], record(0, 1, 6), record(0, 2, 7));
    const all = [record(0, 1, 5), record(0, 2, 7), record(0, 1, 6), record(0, 3, 8), record(0, 3, null)];
    expect(sums(['id'], ...all)).toEqual(last);
    expect(sums(['id'], record(0, 1, 6), record(0, 1, 5), record(0, 2, 7))).not.toEqual(last);
  });

  it('finds a key that two partitions hold', () => {
    expect(sums(['id'], record(0, 1, 5), record(1, 1, 5))).not.toEqual(sums(['id'], record(0, 1, 5)));
  });

  it('refuses keys of other fields', () => {
    expect(() => sums(['v'], record(0, 1, 5))).toThrow('a key with id, not v');
    expect(() => sums(['id'], record(0, null, 5))).toThrow('no key');
    expect(() => sums(null, record(0, 1, null))).toThrow('without a value');
  });
});
