/** A row with a field of every type, for the tests of this room. */
import { parseType } from './types/type-grammar.ts';
import { rowSchema } from '../core/index.ts';
import type { RowSchema, Value } from '../core/index.ts';

const DECLARED: readonly (readonly [string, string, Value])[] = [
  ['i', 'int', 7],
  ['l', 'long', 10n],
  ['f', 'float', 1.5],
  ['d', 'double', 2.5],
  ['amount', 'decimal(10,2)', 1050n],
  ['region', 'string', 'EU'],
  ['ok', 'boolean', true],
  ['ts', 'timestamp', 1709210096789],
  ['dt', 'date', 19782],
  ['tm', 'time', 45296000],
  ['doc', 'json', '{"a":{"b":[1,"x"]},"s":"t"}'],
  ['bin', 'bytes', new Uint8Array([0xca, 0xfe])],
  ['tags', 'array<string>', ['p', 'q']],
  ['counts', 'map<string, int>', new Map([['k', 1]])],
  ['place', 'row<x int, dateTime timestamp, "inner" row<deep string>>', [5, 0, ['down']]],
  ['dateTime', 'timestamp', 0],
  ['order', 'int', 42],
  ['größe', 'int', 3],
  ['nothing', 'int', null],
];

export const testSchema: RowSchema = rowSchema(
  DECLARED.map(([name, text]) => {
    const parsed = parseType(text);
    if (!('type' in parsed)) throw new Error(`${text}: ${parsed.problems[0]?.message ?? ''}`);
    return { name, type: parsed.type };
  }),
);

export const testRow: readonly Value[] = DECLARED.map(([, , value]) => value);
