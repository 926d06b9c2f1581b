/** Random values of every type, with the ones that break things; for tests. */
import { MAX_INT, MAX_LONG, MAX_TIMESTAMP_MS, MIN_INT, MIN_LONG } from '../../core/index.ts';
import type { DataType, Value } from '../../core/index.ts';

/** Numbers from a seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** In [low, high]. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.next() * from.length)] as T;
  }
}

const INTS = [0, 1, -1, 2, 7, 10, -10, 100, 123, MAX_INT, MIN_INT, MAX_INT - 1, 65536, 46341];
const NARROW_LONGS = [
  0n,
  1n,
  -1n,
  3n,
  10n,
  123n,
  -1000n,
  4294967296n,
  9007199254740991n,
  -9007199254740991n,
  94906267n,
];
const WIDE_LONGS = [MAX_LONG, MIN_LONG, 9007199254740992n, -9007199254740993n, 2n ** 62n];
const DOUBLES = [
  0,
  -0,
  1,
  -1,
  0.5,
  1.5,
  -2.5,
  1e300,
  -1e300,
  NaN,
  Infinity,
  -Infinity,
  5e-324,
  2 ** 53,
  0.1,
  123.456,
  2 ** 31,
];
const STRINGS = [
  '',
  ' ',
  'a',
  'b',
  'abc',
  'ABC',
  'Hello World',
  '  trim me\t',
  'a,b,,c',
  '/',
  ',',
  '%',
  '_',
  'a%',
  '%c',
  '%b%',
  '_b_',
  '\\',
  'https://www.example.com/a/b/item.htm?query=1&channel_id=apple',
  '1',
  '-7',
  '1.50',
  ' 42 ',
  '1e3',
  'NaN',
  'true',
  'F',
  '9223372036854775807',
  '99999999999999999999',
  '2024-02-29',
  '2024-02-29 12:34:56.789',
  '2024-02-29T12:34:56Z',
  '12:34:56',
  'äöüÄÖÜß',
  '€uro',
  '😀',
  'a😀b😀',
  'e\u0301',
  '\u{1F468}\u200D\u{1F469}',
  '\uFFFD',
  '\uFEFFbom',
  'İı',
  'ﬀ',
  '漢字',
  "O'Brien",
  '"quoted"',
  '`${1}`',
  '\\u0041',
  '\n\r\t\0',
  '$.a',
  '$.b[0]',
  '$',
  '{"a":1,"b":[1,2,null]}',
  '[1,2,3]',
  'null',
  '"x"',
  '{"a":{"b":"c\\u00e9"}}',
  'channel_id=([^&]*)',
  '(\\w+)',
  '[',
  '^a',
  'yyyy-MM-dd',
  'yyyy-MM-dd HH:mm:ss',
  'DAY',
  'HOUR',
  'MONTH',
  'YEAR',
  'UTC',
  'Europe/Berlin',
  'x'.repeat(40),
  'ab'.repeat(50),
  '0',
  'ff',
  'both',
  'SGVsbG8=',
  'k=v&k2=v2',
] as const;

function randomString(random: Random): string {
  if (random.chance(0.7)) return random.pick(STRINGS);
  const alphabet = ['a', 'b', 'B', 'z', ' ', ',', '/', '1', '9', '.', '%', '_', 'é', '€', '😀', '\u0301', '\n', '-'];
  return Array.from({ length: random.integer(0, 20) }, () => random.pick(alphabet)).join('');
}

function bigDecimal(random: Random, digits: number): bigint {
  const length = random.integer(1, digits);
  let text = '';
  for (let i = 0; i < length; i++) text += String(random.integer(i === 0 ? 1 : 0, 9));
  return random.chance(0.5) ? BigInt(text) : -BigInt(text);
}

function randomDecimal(random: Random, precision: number, wide: boolean): bigint {
  const roll = random.next();
  const digits = wide ? precision : Math.min(precision, 15);
  const limit = 10n ** BigInt(digits);
  if (roll < 0.1) return 0n;
  if (roll < 0.2) return limit - 1n;
  if (roll < 0.3) return 1n - limit;
  if (roll < 0.5) return BigInt(random.integer(-99, 99));
  return bigDecimal(random, random.chance(0.6) ? Math.min(digits, 7) : digits);
}

/** A value that is not NULL; `wide` allows longs and decimals beyond the safe integers. */
export function randomValue(random: Random, type: DataType, wide: boolean): Value {
  switch (type.kind) {
    case 'boolean':
      return random.chance(0.5);
    case 'int':
      return random.chance(0.4) ? random.pick(INTS) : random.integer(-1000, 1000);
    case 'date':
      return random.chance(0.1)
        ? random.pick([0, -1, 100_000_000, -100_000_000, MAX_INT])
        : random.integer(-40_000, 40_000);
    case 'time':
      return random.chance(0.2) ? random.pick([0, 86_399_999]) : random.integer(0, 86_399_999);
    case 'timestamp':
      if (random.chance(0.1)) return random.pick([0, -1, MAX_TIMESTAMP_MS, -MAX_TIMESTAMP_MS]);
      return random.integer(-4e11, 4e12);
    case 'float':
      return Math.fround(randomDouble(random));
    case 'double':
      return randomDouble(random);
    case 'long':
      if (wide && random.chance(0.3)) return random.pick(WIDE_LONGS);
      return random.chance(0.4) ? random.pick(NARROW_LONGS) : BigInt(random.integer(-100_000, 100_000));
    case 'decimal':
      return randomDecimal(random, type.precision, wide);
    case 'string':
      return randomString(random);
    case 'json':
      return randomJson(random);
    case 'bytes':
      if (random.chance(0.5)) return new TextEncoder().encode(randomString(random));
      return Uint8Array.from({ length: random.integer(0, 12) }, () => random.integer(0, 255));
    case 'array':
      return Array.from({ length: random.integer(0, 4) }, () => maybeNull(random, type.element, wide));
    case 'row':
      return type.fields.map((field) => maybeNull(random, field.type, wide));
    case 'map': {
      const size = random.integer(0, 3);
      return new Map(
        Array.from({ length: size }, (): [Value, Value] => [
          randomValue(random, type.key, wide),
          maybeNull(random, type.value, wide),
        ]),
      );
    }
  }
}

export function maybeNull(random: Random, type: DataType, wide: boolean): Value {
  return random.chance(0.15) ? null : randomValue(random, type, wide);
}

function randomDouble(random: Random): number {
  if (random.chance(0.4)) return random.pick(DOUBLES);
  return random.chance(0.5) ? random.integer(-1000, 1000) : (random.next() - 0.5) * 10 ** random.integer(-5, 20);
}

function randomJson(random: Random): string {
  return random.pick([
    '{"a":1,"b":[1,2,null]}',
    '{"a":{"b":"c\\u00e9"},"b":2.5e3}',
    '[1,"two",null,true]',
    'null',
    'true',
    '12',
    '-1.5',
    '12345678901234567890',
    '"text"',
    '"😀 \\"x\\""',
    '{}',
    '[]',
    '{"a":null}',
  ]);
}
