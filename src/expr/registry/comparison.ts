/** = <> < <= > >=, IS [NOT] DISTINCT FROM, IN, IS [NOT] TRUE/FALSE. BETWEEN becomes >= AND <= in the checker. */
import { comparator, sameValue } from './compare-values.ts';
import { boundOverload, functionRow, overload } from './overload.ts';
import type { CallTypes, FunctionRow, Overload } from './overload.ts';
import type { DataType, Value } from '../../core/index.ts';

const ORDERED = [
  'boolean',
  'int',
  'long',
  'decimal',
  'float',
  'double',
  'string',
  'bytes',
  'date',
  'time',
  'timestamp',
] as const;
const COLLECTIONS = ['array<T>', 'map<K, V>', 'row'] as const;

function comparison(name: string, kinds: readonly string[], test: (order: number) => boolean): Overload[] {
  return kinds.map((kind) =>
    boundOverload(name, `${kind}, ${kind}`, { returns: 'boolean' }, (call) => {
      const compare = comparator(argument(call, 0), argument(call, 1));
      return (a: Value, b: Value) => test(compare(a, b));
    }),
  );
}

function argument(call: CallTypes, index: number): DataType {
  return call.args[index] as DataType;
}

function comparisonRow(sign: string, name: string, doc: string, example: string, test: (order: number) => boolean) {
  const kinds = name === 'eq' || name === 'ne' ? [...ORDERED, ...COLLECTIONS] : ORDERED;
  return functionRow(
    sign,
    { category: 'comparison', syntax: `a ${sign} b`, doc, examples: { [example]: 'true' } },
    comparison(name, kinds, test),
  );
}

/** NULL counts as a value: never NULL itself. */
function distinct(name: string, wanted: boolean): Overload[] {
  return [...ORDERED, ...COLLECTIONS].map((kind) =>
    boundOverload(name, `${kind}, ${kind}`, { returns: 'boolean', strict: false }, (call) => {
      const type = argument(call, 0);
      const compare = comparator(type, argument(call, 1));
      const isCollection = type.kind === 'array' || type.kind === 'map' || type.kind === 'row';
      return (a: Value, b: Value) => {
        if (a === null || b === null) return (a !== b) === wanted;
        return (isCollection ? !sameValue(a, b, type) : compare(a, b) !== 0) === wanted;
      };
    }),
  );
}

/** TRUE if equal to one, else NULL if anything is NULL, else FALSE. */
const inList: readonly Overload[] = ORDERED.map((kind) =>
  boundOverload('in', `${kind}, ${kind}...`, { returns: 'boolean', strict: false, nullable: true }, (call) => {
    const compare = call.args.map((type) => comparator(argument(call, 0), type));
    return (value: Value, ...list: Value[]) => {
      if (value === null) return null;
      let sawNull = false;
      for (let index = 0; index < list.length; index++) {
        const item = list[index] as Value;
        if (item === null) sawNull = true;
        else if (compare[index + 1]?.(value, item) === 0) return true;
      }
      return sawNull ? null : false;
    };
  }),
);

function truthTest(name: string, words: string, doc: string, test: (value: boolean | null) => boolean): FunctionRow {
  return functionRow(
    words,
    { category: 'logic', syntax: `a ${words}`, doc, examples: { [`(1 = 1) ${words}`]: String(test(true)) } },
    [overload(name, 'boolean', { returns: 'boolean', strict: false }, test)],
  );
}

export const comparisonFunctions: readonly FunctionRow[] = [
  comparisonRow('=', 'eq', 'Equal. Strings are compared by code point, byte for byte.', "'a' = 'a'", (o) => o === 0),
  comparisonRow('<>', 'ne', 'Not equal; also !=.', '1 <> 2', (o) => o !== 0),
  comparisonRow('<', 'lt', 'Less. Strings are ordered by code point.', "'B' < 'a'", (o) => o < 0),
  comparisonRow('<=', 'le', 'Less or equal.', '1 <= 1', (o) => o <= 0),
  comparisonRow('>', 'gt', 'Greater.', '2 > 1.5', (o) => o > 0),
  comparisonRow('>=', 'ge', 'Greater or equal.', '2 >= 2', (o) => o >= 0),
  functionRow(
    'IS DISTINCT FROM',
    {
      category: 'comparison',
      syntax: 'a IS DISTINCT FROM b',
      doc: 'Not equal, where NULL is a value equal to itself: never NULL.',
      examples: { 'CAST(NULL AS int) IS DISTINCT FROM 1': 'true' },
    },
    distinct('is_distinct_from', true),
  ),
  functionRow(
    'IS NOT DISTINCT FROM',
    {
      category: 'comparison',
      syntax: 'a IS NOT DISTINCT FROM b',
      doc: 'Equal, where NULL is a value equal to itself: never NULL.',
      examples: { 'CAST(NULL AS int) IS NOT DISTINCT FROM NULL': 'true' },
    },
    distinct('is_not_distinct_from', false),
  ),
  functionRow(
    'IN',
    {
      category: 'comparison',
      syntax: 'a [NOT] IN (b, c, …)',
      doc: 'TRUE if a equals one of the list; else NULL if a or one of the list is NULL; else FALSE.',
      examples: { '2 IN (1, 2, 3)': 'true', '2 IN (1, NULL)': 'NULL', '2 NOT IN (1, 3)': 'true' },
    },
    inList,
  ),
  truthTest('is_true', 'IS TRUE', 'TRUE where a is TRUE; FALSE for NULL.', (v) => v === true),
  truthTest('is_false', 'IS FALSE', 'TRUE where a is FALSE; FALSE for NULL.', (v) => v === false),
  truthTest('is_not_true', 'IS NOT TRUE', 'TRUE where a is FALSE or NULL.', (v) => v !== true),
  truthTest('is_not_false', 'IS NOT FALSE', 'TRUE where a is TRUE or NULL.', (v) => v !== false),
];
