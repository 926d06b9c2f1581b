import { describe, expect, it } from '@jest/globals';
import { rowSchema, types } from '../../../core/index.ts';
import type { Expression, Field } from '../../../core/index.ts';
import { decodeWith, encodeWith } from '../format-harness.ts';
import { rawFormat } from './raw-format.ts';

const line: Field[] = [{ name: 'line', type: types.string }];
const blob: Field[] = [{ name: 'blob', type: types.bytes }];
const invalid = Uint8Array.of(0x61, 0xc3, 0x28);

describe('raw', () => {
  it('gives records as they are', () => {
    expect(decodeWith(rawFormat, ['a b', '', 'ä'.repeat(100), null, invalid], line)).toEqual([
      ['a b'],
      [''],
      ['ä'.repeat(100)],
      [null],
      'MR-FORMAT-UTF8 the record is no valid UTF-8: 0xc3 begins no character at byte 1',
    ]);
    expect(decodeWith(rawFormat, [invalid, null], blob)).toEqual([[invalid], [null]]);
  });

  it('finds what is wrong in long text', () => {
    const record = Uint8Array.of(...Buffer.from('x'.repeat(1000)), 0xff);
    expect(decodeWith(rawFormat, [record], line)).toEqual(
      [expect.stringContaining('0xff begins no character at byte 1000')]);
  });

  it('applies filters', () => {
    const predicate: Expression = {
      kind: 'call',
      overload: 'eq(string,string)',
      args: [
        { kind: 'column', index: 0, name: 'line', type: types.string },
        { kind: 'literal', type: types.string, value: 'b' },
      ],
      type: types.boolean,
    };
    expect(decodeWith(rawFormat, ['a', null, 'b'], line, { filters: [{ stepId: 'f', predicate }] })).toEqual([
      'dropped',
      'dropped',
      ['b'],
    ]);
  });

  it('writes records as they are; NULL is empty', () => {
    expect(encodeWith(rawFormat, [['a'], [null], ['ä']], line).map((record) => Buffer.from(record).toString())).toEqual(
      [
      'a',
      '',
      'ä',
    ]);
    expect(encodeWith(rawFormat, [[invalid]], blob)).toEqual([invalid]);
  });

  it('wants one field of text or bytes', () => {
    const check = (fields: Field[]) => rawFormat.check(rowSchema(fields), {}, 'decode').map(({ message }) => message);
    expect(check(line)).toEqual([]);
    expect(check([...line, ...blob])).toEqual(
      ['format raw is one field of type string or bytes, not: line string, blob bytes']);
    expect(check([{ name: 'n', type: types.int }])).toHaveLength(1);
  });
});
