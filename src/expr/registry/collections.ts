/** Arrays (counted from 1), maps, rows. Elements are equal as with IS NOT DISTINCT FROM. */
import { comparator, sameValue } from './compare-values.ts';
import { boundOverload, functionRow, overload } from './overload.ts';
import { checkTextLength } from './text-limits.ts';
import type { CallTypes, Constants, ConstantProblem, FunctionRow, Overload } from './overload.ts';
import type { DataType, Value } from '../../core/index.ts';

type List = readonly Value[];

function elementType(call: CallTypes): DataType {
  const [type] = call.args;
  if (type?.kind !== 'array') throw new TypeError('an array type was expected');
  return type.element;
}

function row(
  name: string,
  doc: string,
  examples: Record<string, string>,
  overloads: readonly Overload[],
  syntax?: string,
): FunctionRow {
  return functionRow(
    name,
    { category: 'collection', doc, examples, ...(syntax === undefined ? {} : { syntax }) },
    overloads,
  );
}

function checkIndex(constants: Constants): ConstantProblem | null {
  const index = constants[1];
  return typeof index === 'number' && index < 1 ? { index: 1, message: 'elements of arrays are counted from 1' } : null;
}

function equalTo(call: CallTypes): (a: Value, b: Value) => boolean {
  const type = elementType(call);
  return (a, b) => sameValue(a, b, type);
}

function distinct(items: List, same: (a: Value, b: Value) => boolean): List {
  const kept: Value[] = [];
  // Primitive values of one type are the same where they are the same key; others are compared one by one.
  const seen = new Set<Value>();
  for (const item of items) {
    const isPrimitive = item === null || typeof item !== 'object';
    if (isPrimitive ? seen.has(item) : kept.some((one) => same(one, item))) continue;
    seen.add(item);
    kept.push(item);
  }
  return kept;
}

/** Least or greatest element that is not NULL, or NULL. */
function extreme(name: string, wanted: number): Overload {
  return boundOverload(name, 'array<T>', { returns: 'T', nullable: true }, (call) => {
    const type = elementType(call);
    const compare = comparator(type, type);
    return (items: List) => {
      let best: Value = null;
      for (const item of items) if (item !== null && (best === null || compare(item, best) === wanted)) best = item;
      return best;
    };
  });
}

function join(items: List, separator: string, forNull: string | null): string {
  const texts = items.map((item) => item ?? forNull).filter((item) => item !== null) as string[];
  checkTextLength(
    texts.reduce((sum, text) => sum + text.length + separator.length, 0),
    'ARRAY_JOIN',
  );
  return texts.join(separator);
}

/** SQL's slice: from and to are positions from 1, negative from the end, both included. */
function slice(items: List, from: number, to: number): List {
  const position = (p: number) => (p < 0 ? items.length + p : p === 0 ? 0 : p - 1);
  const start = Math.max(0, position(from));
  const end = to === Infinity ? items.length - 1 : position(to);
  return end < start ? [] : items.slice(start, end + 1);
}

const access: readonly FunctionRow[] = [
  functionRow(
    '[]',
    {
      category: 'collection',
      doc:
        'The element of an array at a position counted from 1, or the value of a map at a key; NULL where there ' +
        'is none.',
      examples: { "ARRAY['a', 'b'][2]": '"b"', "MAP('k', 1)['k']": '1', 'ARRAY[1][5]': 'NULL' },
      syntax: 'array[position], map[key]',
      checkConstants: checkIndex,
    },
    [
      overload(
        'element_at',
        'array<T>, int',
        { returns: 'T', nullable: true },
        (items: List, index: number) => items[index - 1] ?? null,
      ),
      overload(
        'element_at',
        'map<K, V>, K',
        { returns: 'V', nullable: true },
        (map: ReadonlyMap<Value, Value>, key: Value) => map.get(key) ?? null,
      ),
    ],
  ),
  functionRow(
    '.',
    {
      category: 'collection',
      doc: 'A field of a row.',
      examples: { 'CAST(ROW(1, 2) AS row<a int, b int>).b': '2' },
      syntax: 'row.field',
    },
    [
      overload(
        'field',
        'row, int',
        { returns: { kind: 'string' }, returnsText: 'the type of the field', nullable: true },
        (values: List, index: number) => values[index] ?? null,
      ),
    ],
  ),
  row(
    'CARDINALITY',
    'The number of elements of an array or entries of a map.',
    { 'CARDINALITY(ARRAY[1, 2, 3])': '3' },
    [
      overload('CARDINALITY', 'array<T>', { returns: 'int' }, (items: List) => items.length),
      overload('CARDINALITY', 'map<K, V>', { returns: 'int' }, (map: ReadonlyMap<Value, Value>) => map.size),
    ],
  ),
  row('ELEMENT', 'The only element of an array; NULL where it is empty.', { 'ELEMENT(ARRAY[7])': '7' }, [
    overload('ELEMENT', 'array<T>', { returns: 'T', nullable: true }, (items: List) => items[0] ?? null),
  ]),
];

const constructors: readonly FunctionRow[] = [
  row(
    'ARRAY',
    'An array of values of one type.',
    { 'ARRAY[1, 2]': '[1, 2]' },
    [
      overload(
        'array',
        'T...',
        {
          returns: (args) => ({ kind: 'array', element: args[0] as DataType }),
          returnsText: 'array<T>',
          strict: false,
        },
        (...items: Value[]) => items,
      ),
    ],
    'ARRAY[a, b, …], ARRAY(a, b, …)',
  ),
  row(
    'MAP',
    'A map of keys and values in turn; of equal keys the last counts.',
    { "MAP('a', 1, 'b', 2)": '{"a": 1, "b": 2}' },
    [
      overload(
        'map',
        'any...',
        {
          returns: (args) => ({ kind: 'map', key: args[0] as DataType, value: args[1] as DataType }),
          returnsText: 'map<K, V>',
          strict: false,
        },
        mapOf,
      ),
    ],
    'MAP(key, value, …), MAP[key, value, …]',
  ),
  row(
    'ROW',
    'A row of values with the fields f0, f1, …; a CAST gives them names.',
    { "ROW(1, 'a')": '[1, "a"]' },
    [
      overload(
        'row',
        'any...',
        {
          returns: (args) => ({ kind: 'row', fields: args.map((type, index) => ({ name: `f${index}`, type })) }),
          returnsText: 'row',
          strict: false,
        },
        (...values: Value[]) => values,
      ),
    ],
    'ROW(a, b, …)',
  ),
];

function mapOf(...entries: Value[]): Value {
  const map = new Map<Value, Value>();
  for (let index = 0; index < entries.length; index += 2) map.set(entries[index] ?? null, entries[index + 1] ?? null);
  return map;
}

const arrays: readonly FunctionRow[] = [
  row(
    'ARRAY_CONTAINS',
    'Whether a value is an element of an array; NULL can be one, too.',
    { 'ARRAY_CONTAINS(ARRAY[1, 2], 2)': 'true' },
    [
      boundOverload('ARRAY_CONTAINS', 'array<T>, T', { returns: 'boolean', strict: false, nullable: true }, (call) => {
        const same = equalTo(call);
        return (items: List | null, value: Value) => (items === null ? null : items.some((item) => same(item, value)));
      }),
    ],
  ),
  row(
    'ARRAY_POSITION',
    'The position of the first element equal to a value, from 1; 0 where there is none.',
    { "ARRAY_POSITION(ARRAY['a', 'b'], 'b')": '2' },
    [
      boundOverload('ARRAY_POSITION', 'array<T>, T', { returns: 'int' }, (call) => {
        const same = equalTo(call);
        return (items: List, value: Value) => items.findIndex((item) => same(item, value)) + 1;
      }),
    ],
  ),
  row(
    'ARRAY_JOIN',
    'The texts of an array with a separator between them; NULLs are left out, or replaced by a third argument.',
    { "ARRAY_JOIN(ARRAY['a', NULL, 'b'], '-', '?')": '"a-?-b"' },
    [
      overload(
        'ARRAY_JOIN',
        'array<string>, string',
        { returns: 'string', canFail: true },
        (items: List, separator: string) => join(items, separator, null),
      ),
      overload('ARRAY_JOIN', 'array<string>, string, string', { returns: 'string', canFail: true }, join),
    ],
  ),
  row(
    'ARRAY_DISTINCT',
    'The elements without repetitions, in the order of their first occurrence.',
    { 'ARRAY_DISTINCT(ARRAY[1, 2, 1])': '[1, 2]' },
    [
      boundOverload('ARRAY_DISTINCT', 'array<T>', { returns: 'array<T>' }, (call) => {
        const same = equalTo(call);
        return (items: List) => distinct(items, same);
      }),
    ],
  ),
  row('ARRAY_REVERSE', 'The elements in reverse order.', { 'ARRAY_REVERSE(ARRAY[1, 2])': '[2, 1]' }, [
    overload('ARRAY_REVERSE', 'array<T>', { returns: 'array<T>' }, (items: List) => [...items].reverse()),
  ]),
  row(
    'ARRAY_CONCAT',
    'The elements of all arrays, one behind the other.',
    { 'ARRAY_CONCAT(ARRAY[1], ARRAY[2, 3])': '[1, 2, 3]' },
    [overload('ARRAY_CONCAT', 'array<T>...', { returns: 'array<T>' }, (...lists: List[]) => lists.flat())],
  ),
  row('ARRAY_APPEND', 'The array with a value behind its last element.', { 'ARRAY_APPEND(ARRAY[1], 2)': '[1, 2]' }, [
    overload(
      'ARRAY_APPEND',
      'array<T>, T',
      { returns: 'array<T>', strict: false, nullable: true },
      (items: List | null, value: Value) => (items === null ? null : [...items, value]),
    ),
  ]),
  row('ARRAY_PREPEND', 'The array with a value before its first element.', { 'ARRAY_PREPEND(ARRAY[1], 2)': '[2, 1]' }, [
    overload(
      'ARRAY_PREPEND',
      'array<T>, T',
      { returns: 'array<T>', strict: false, nullable: true },
      (items: List | null, value: Value) => (items === null ? null : [value, ...items]),
    ),
  ]),
  row(
    'ARRAY_REMOVE',
    'The array without the elements equal to a value.',
    { 'ARRAY_REMOVE(ARRAY[1, 2, 1], 1)': '[2]' },
    [
      boundOverload('ARRAY_REMOVE', 'array<T>, T', { returns: 'array<T>', strict: false, nullable: true }, (call) => {
        const same = equalTo(call);
        return (items: List | null, value: Value) =>
          items === null ? null : items.filter((item) => !same(item, value));
      }),
    ],
  ),
  row(
    'ARRAY_SLICE',
    'The elements from one position to another, both included; negative positions count from the end.',
    { 'ARRAY_SLICE(ARRAY[1, 2, 3, 4], 2, 3)': '[2, 3]' },
    [
      overload('ARRAY_SLICE', 'array<T>, int', { returns: 'array<T>' }, (items: List, from: number) =>
        slice(items, from, Infinity),
      ),
      overload('ARRAY_SLICE', 'array<T>, int, int', { returns: 'array<T>' }, slice),
    ],
  ),
  row('ARRAY_MIN', 'The least element; NULLs do not count.', { 'ARRAY_MIN(ARRAY[2, 1])': '1' }, [
    extreme('ARRAY_MIN', -1),
  ]),
  row('ARRAY_MAX', 'The greatest element; NULLs do not count.', { 'ARRAY_MAX(ARRAY[2, 1])': '2' }, [
    extreme('ARRAY_MAX', 1),
  ]),
];

const maps: readonly FunctionRow[] = [
  row('MAP_KEYS', 'The keys of a map, in its order.', { "MAP_KEYS(MAP('a', 1))": '["a"]' }, [
    overload('MAP_KEYS', 'map<K, V>', { returns: 'array<K>' }, (map: ReadonlyMap<Value, Value>) => [...map.keys()]),
  ]),
  row('MAP_VALUES', 'The values of a map, in its order.', { "MAP_VALUES(MAP('a', 1))": '[1]' }, [
    overload('MAP_VALUES', 'map<K, V>', { returns: 'array<V>' }, (map: ReadonlyMap<Value, Value>) => [...map.values()]),
  ]),
];

/** GREATEST and LEAST: NULL if one is NULL, as in Flink. NaN is the greatest number. */
function extremeOf(name: string, wanted: number, doc: string, example: [string, string]): FunctionRow {
  return functionRow(name, { category: 'conditional', doc, examples: { [example[0]]: example[1] } }, [
    boundOverload(name, 'T...', { returns: 'T' }, (call) => {
      const type = call.result;
      const compare = comparator(type, type);
      return (...values: Value[]) => {
        let best = values[0] ?? null;
        for (const value of values) {
          const order = Number.isNaN(value)
            ? Number.isNaN(best)
              ? 0
              : 1
            : Number.isNaN(best)
              ? -1
              : compare(value, best);
          if (order === wanted) best = value;
        }
        return best;
      };
    }),
  ]);
}

export const collectionFunctions: readonly FunctionRow[] = [...access, ...constructors, ...arrays, ...maps];
export const conditionalFunctions: readonly FunctionRow[] = [
  extremeOf('GREATEST', 1, 'The greatest argument; NULL if one is NULL.', ['GREATEST(1, 3, 2)', '3']),
  extremeOf('LEAST', -1, 'The least argument; NULL if one is NULL.', ["LEAST('b', 'a')", '"a"']),
];
