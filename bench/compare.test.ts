import { describe, expect, it } from '@jest/globals';
import { canonicalNumber, canonicalRow } from './compare.ts';

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
