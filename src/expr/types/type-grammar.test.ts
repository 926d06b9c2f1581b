import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatType, types } from '../../core/index.ts';
import { parseType } from './type-grammar.ts';
import type { DataType } from '../../core/index.ts';

function parsed(text: string): string {
  const result = parseType(text);
  return 'type' in result ? formatType(result.type) : `problem at ${result.problems[0]?.offset ?? -1}`;
}

describe('parseType', () => {
  it.each([
    ['int', 'int'],
    ['INTEGER', 'int'],
    ['BIGINT', 'long'],
    ['VARCHAR(20)', 'string'],
    ['character varying(20)', 'string'],
    ['DOUBLE PRECISION', 'double'],
    ['double', 'double'],
    ['FLOAT', 'float'],
    ['REAL', 'float'],
    ['NUMERIC', 'decimal(10,0)'],
    ['DECIMAL(5)', 'decimal(5,0)'],
    ['decimal( 38 , 38 )', 'decimal(38,38)'],
    ['TIMESTAMP(3)', 'timestamp'],
    ['timestamp(3) with local time zone', 'timestamp'],
    ['TIMESTAMP_LTZ(3)', 'timestamp'],
    ['time without time zone', 'time'],
    ['varbinary(10)', 'problem at 10'],
    ['bytea', 'bytes'],
    ['jsonb', 'json'],
    ['int[]', 'array<int>'],
    ['decimal(3,1)[][]', 'array<array<decimal(3,1)>>'],
    ['ARRAY<MAP<STRING,row<a int, "b c" array<long>>>>', 'array<map<string, row<a int, b c array<long>>>>'],
    ['row(a: int, b: string)', 'row<a int, b string>'],
    [' int ', 'int'],
  ])('%s is %s', (text, expected) => {
    expect(parsed(text)).toBe(expected);
  });

  it.each([
    ['', 0, 'expected a type, found the end', null],
    ['strng', 0, 'there is no type `strng`; did you mean `string`?', 'string'],
    ['array<intt>', 6, 'did you mean `int`?', 'int'],
    ['decimal(39,2)', 8, 'a decimal has 1 to 38 digits, not 39', null],
    ['decimal(5,6)', 10, 'of 5 digits, 6 cannot stand behind the point', null],
    ['decimal(10', 10, 'expected `)`, found the end', null],
    ['timestamp(6)', 10, 'times have milliseconds', '3'],
    ['map<array<int>, int>', 4, 'the keys of a map cannot be of type array', null],
    ['map<string>', 10, 'expected `,` and the type of the values', null],
    ['row<a int, a int>', 11, 'two fields named `a`', null],
    ['row<>', 4, 'expected the name of a field', null],
    ['array', 5, 'expected `<`, as in array<T>', null],
    ['int NOT NULL', 4, 'every field may be NULL', null],
    ['int string', 4, '`string` was not expected behind the type', null],
    ['char(3)', 0, 'text has no fixed length here', 'string'],
    ['uuid', 0, 'a UUID is text here', 'string'],
    ['int(4)', 4, 'int takes no number in parentheses', null],
    ['constructor', 0, 'there is no type `constructor`', null],
  ])('%s: problem at %i', (text, offset, message, suggestion) => {
    const result = parseType(text);
    if ('type' in result) throw new Error(`understood as ${formatType(result.type)}`);
    expect(result.problems).toHaveLength(1);
    expect(result.problems[0]).toMatchObject({ offset, suggestion });
    expect(result.problems[0]?.message).toContain(message);
  });

  it('refuses nesting that would exhaust the stack', () => {
    const result = parseType(`${'array<'.repeat(5000)}int${'>'.repeat(5000)}`);
    expect(result).toMatchObject({ problems: [{ message: 'the type is nested too deeply' }] });
  });

  it('reads back what formatType writes', () => {
    fc.assert(fc.property(anyType, (type) => expect(parsed(formatType(type))).toBe(formatType(type))));
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'arymp<>(),[] 19:introw"`') }), (text) => void parseType(text)),
    );
  });
});

const { anyType } = fc.letrec<{ anyType: DataType }>((tie) => ({
  anyType: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(
      types.boolean,
      types.int,
      types.long,
      types.float,
      types.double,
      types.string,
      types.bytes,
      types.json,
    ),
    fc.constantFrom(types.date, types.time, types.timestamp, types.decimal(10, 2), types.decimal(38, 38)),
    tie('anyType').map((element) => types.array(element)),
    tie('anyType').map((value) => types.map(types.string, value)),
    tie('anyType').map((type) =>
      types.row([
        { name: 'a', type },
        { name: 'b_1', type: types.int },
      ]),
    ),
  ),
}));
