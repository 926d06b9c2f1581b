/** How datagen makes the values of one field: a kind of distribution and its settings. */
import { defineOptions, formatType, isMillraceError, parseOptions, setNull, writeValue } from '../../core/index.ts';
import type { Column, DataType, OptionProblem, OptionTable, OptionValue, Value } from '../../core/index.ts';
import { parseJsonValue } from '../formats/index.ts';
import { putPattern } from './pattern-text.ts';
import { RowRandom } from './row-random.ts';
import { TextColumn } from './text-column.ts';
import { ZipfRanks } from './zipf-ranks.ts';

/** Writes the field's value of row `index` at `row` of its column. */
export type FieldGenerator = (index: number, column: Column, row: number) => void;

export interface GeneratorContext {
  readonly seed: number;
  readonly nowMs: () => number;
}

/** Dates and times may be written as text. */
function isNumberOrText(value: OptionValue): string | null {
  return typeof value === 'number' || typeof value === 'string' ? null : 'must be a number, or the text of a time';
}

const KINDS = ['sequence', 'uniform', 'normal', 'zipf', 'choice', 'pattern', 'string', 'constant', 'now'] as const;
type GeneratorKind = (typeof KINDS)[number];

const settings = defineOptions({
  kind: { kind: 'enum', values: KINDS, doc: 'the distribution' },
  nullRatio: { kind: 'number', min: 0, max: 1, default: 0, doc: 'the share of rows where the field is NULL' },
  start: { kind: 'any', doc: 'sequence: the value of the first row', validate: isNumberOrText },
  step: { kind: 'number', doc: 'sequence: what is added per row' },
  min: { kind: 'any', doc: 'uniform: the least value', validate: isNumberOrText },
  max: { kind: 'any', doc: 'uniform: the greatest value', validate: isNumberOrText },
  mean: { kind: 'number', default: 0, doc: 'normal: the mean' },
  deviation: { kind: 'number', default: 1, min: 0, doc: 'normal: the standard deviation' },
  values: { kind: 'any', doc: 'choice: the values; zipf: how many values, 1 to this' },
  weights: { kind: 'any', doc: 'choice: how often each value comes, relative to the others' },
  exponent: {
    kind: 'number',
    default: 1,
    min: 0,
    doc: 'zipf: the n-th value is n^exponent times as rare as the first',
  },
  pattern: { kind: 'string', doc: 'pattern: `#` a digit, `?` a letter, `*` either, `\\` takes the next as it is' },
  length: { kind: 'integer', default: 12, min: 0, max: 1_000_000, doc: 'string: how many letters' },
  value: { kind: 'any', doc: 'constant: the value, as it would stand in JSON' },
} satisfies OptionTable);
type Settings = ReturnType<typeof parseSettings>['values'];

function parseSettings(given: OptionValue) {
  const raw = typeof given === 'object' && given !== null && !Array.isArray(given) ? given : { value: given };
  return parseOptions(settings, raw as Record<string, unknown>);
}

const NUMBERS: readonly GeneratorKind[] = ['sequence', 'uniform', 'normal', 'zipf', 'choice', 'constant'];
const ANY: readonly GeneratorKind[] = ['choice', 'constant'];
const ALLOWED: Readonly<Record<DataType['kind'], readonly GeneratorKind[]>> = {
  boolean: ['uniform', 'choice', 'constant'],
  int: NUMBERS,
  long: NUMBERS,
  float: NUMBERS,
  double: NUMBERS,
  decimal: NUMBERS,
  date: NUMBERS,
  time: NUMBERS,
  timestamp: [...NUMBERS, 'now'],
  string: ['string', 'pattern', 'choice', 'constant'],
  bytes: ['string', 'choice', 'constant'],
  json: ANY,
  array: ANY,
  map: ANY,
  row: ANY,
};

/** What is wrong with a field's settings; empty where createGenerator can do with them. */
export function checkGenerator(name: string, type: DataType, given: OptionValue | undefined): OptionProblem[] {
  const path = ['fields', name];
  if (given === undefined) {
    if (type.kind !== 'json' && columnlessKinds.has(type.kind)) {
      const message =
        `field \`${name}\` is ${formatType(type)}: say under \`fields\` what to make, ` + 'a constant or a choice';
      return [{ path, what: 'missing', message, suggestion: null }];
    }
    return [];
  }
  const { values, problems } = parseSettings(given);
  const located = problems.map((problem) => ({ ...problem, path: [...path, ...problem.path] }));
  if (located.length > 0) return located;
  const kind = kindOf(values, type);
  const invalid = (message: string): OptionProblem[] => [{ path, what: 'invalid', message, suggestion: null }];
  if (!ALLOWED[type.kind].includes(kind)) {
    return invalid(
      `\`${kind}\` makes no ${formatType(type)} for \`${name}\`; what does: ${ALLOWED[type.kind].join(', ')}`,
    );
  }
  try {
    distribution(kind, values, type, name);
  } catch (error) {
    if (isMillraceError(error) || error instanceof RangeError) return invalid(`\`${name}\`: ${error.message}`);
    throw error;
  }
  return [];
}

const columnlessKinds = new Set<DataType['kind']>(['array', 'map', 'row']);

export function createGenerator(
  name: string,
  type: DataType,
  given: OptionValue | undefined,
  context: GeneratorContext,
): FieldGenerator {
  const { values } = parseSettings(given ?? {});
  const random = new RowRandom(context.seed, name);
  const write = writerOf(kindOf(values, type), values, type, name, random, context);
  const { nullRatio } = values;
  return (index, column, row) => {
    random.start(index);
    if (nullRatio > 0 && random.next() < nullRatio) setNull(column, row);
    else write(index, column, row);
  };
}

/** The kind that is given, or the one that the other settings suggest. */
function kindOf(values: Settings, type: DataType): GeneratorKind {
  if (values.kind !== null) return values.kind;
  if (values.value !== null) return 'constant';
  if (values.pattern !== null) return 'pattern';
  if (Array.isArray(values.values)) return 'choice';
  if (values.start !== null || values.step !== null) return 'sequence';
  if (type.kind === 'string' || type.kind === 'bytes') return 'string';
  return type.kind === 'json' ? 'constant' : 'uniform';
}

function writerOf(
  kind: GeneratorKind,
  values: Settings,
  type: DataType,
  name: string,
  random: RowRandom,
  context: GeneratorContext,
): FieldGenerator {
  if (kind === 'now') {
    return (_index, column, row) => {
      writeValue(column, row, context.nowMs());
    };
  }
  if (kind === 'pattern' || kind === 'string') {
    const text = new TextColumn();
    const pattern = kind === 'pattern' ? (values.pattern ?? '') : '?'.repeat(values.length);
    return (_index, column, row) => {
      putPattern(text, pattern, random, column, row);
    };
  }
  const draw = distribution(kind, values, type, name);
  return (index, column, row) => {
    writeValue(column, row, draw(random, index));
  };
}

type Draw = (random: RowRandom, index: number) => Value;

/** Throws RangeError or a format's record error where the settings do not fit the type. */
function distribution(kind: GeneratorKind, values: Settings, type: DataType, name: string): Draw {
  switch (kind) {
    case 'constant': {
      const value = valueOf(type, values.value, name);
      return () => value;
    }
    case 'choice':
      return choice(values, type, name);
    case 'now':
    case 'pattern':
    case 'string':
      if (kind === 'pattern' && values.pattern === null) throw new RangeError('`pattern` is missing');
      return () => null;
    default:
      return type.kind === 'boolean' ? (random) => random.bits() < 0 : numbers(kind, values, type, name);
  }
}

/** A value of a job file, read as the JSON format reads it: timestamps in ISO 8601, exact decimals. */
function valueOf(type: DataType, value: OptionValue, name: string): Value {
  return parseJsonValue(type, type.kind === 'json' && value === null ? 'null' : JSON.stringify(value), name);
}

function choice(values: Settings, type: DataType, name: string): Draw {
  if (!Array.isArray(values.values) || values.values.length === 0) throw new RangeError('`values` must be a list');
  const all = (values.values as readonly OptionValue[]).map((value) => valueOf(type, value, name));
  const weights = values.weights === null ? all.map(() => 1) : (values.weights as unknown);
  const isGood = (weight: unknown): boolean => typeof weight === 'number' && weight >= 0 && Number.isFinite(weight);
  if (!Array.isArray(weights) || weights.length !== all.length || !weights.every(isGood)) {
    throw new RangeError('`weights` must be a list of numbers, one per value');
  }
  let sum = 0;
  const limits = (weights as readonly number[]).map((weight) => (sum += weight));
  if (sum === 0) throw new RangeError('one of the `weights` must be above zero');
  return (random) => {
    const at = random.next() * sum;
    return all[limits.findIndex((limit) => at < limit)] ?? null;
  };
}

const DAY_MS = 86_400_000;
/** What `uniform` makes without limits; small enough to look at. */
const DEFAULT_RANGE: Readonly<Partial<Record<DataType['kind'], readonly [number, number]>>> = {
  float: [0, 1],
  double: [0, 1],
  date: [18_262, 21_914],
  time: [0, DAY_MS - 1],
  timestamp: [18_262 * DAY_MS, 21_914 * DAY_MS],
};
const LIMITS: Readonly<Partial<Record<DataType['kind'], readonly [number, number]>>> = {
  int: [-(2 ** 31), 2 ** 31 - 1],
  date: [-1e8, 1e8],
  time: [0, DAY_MS - 1],
  timestamp: [-8.64e15, 8.64e15],
};
const SAFE: readonly [number, number] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

/** Numbers in the type's own unit: days, milliseconds, and 10^-scale of a decimal. */
function numbers(kind: GeneratorKind, values: Settings, type: DataType, name: string): Draw {
  const unit = type.kind === 'decimal' ? 10 ** type.scale : 1;
  const isFraction = type.kind === 'float' || type.kind === 'double';
  const [least, greatest] = rangeOf(type);
  const clamp = (value: number): number => Math.max(least, Math.min(greatest, value));
  const toValue = (value: number): Value => {
    if (isFraction) return type.kind === 'float' ? Math.fround(value) : value;
    const whole = clamp(Math.round(value * unit));
    return type.kind === 'long' || type.kind === 'decimal' ? BigInt(whole) : whole;
  };
  switch (kind) {
    case 'sequence': {
      const start = numberOf(type, values.start, name) ?? 0;
      const step = values.step ?? 1;
      // Computed from the row's number, so that a sequence of decimals does not drift.
      return (_random, index) => toValue(start + index * step);
    }
    case 'normal':
      return (random) => toValue(values.mean + random.normal() * values.deviation);
    case 'zipf': {
      const ranks = new ZipfRanks(rankCount(values.values), values.exponent);
      return (random) => toValue(ranks.draw(random));
    }
    default: {
      const [low, high] = DEFAULT_RANGE[type.kind] ?? [0, Math.min(999_999, greatest / unit)];
      const [givenMin, givenMax] = [numberOf(type, values.min, name), numberOf(type, values.max, name)];
      const min = givenMin ?? Math.min(low, givenMax ?? low);
      const max = givenMax ?? Math.max(high, min);
      if (min > max) throw new RangeError(`\`min\` ${min} is above \`max\` ${max}`);
      if (isFraction) return (random) => toValue(min + random.next() * (max - min));
      const [first, count] = [Math.ceil(min * unit), Math.floor(max * unit) - Math.ceil(min * unit) + 1];
      return (random) => toValue((first + random.below(count)) / unit);
    }
  }
}

/** A number of the settings; text stands for a date or a time. */
function numberOf(type: DataType, given: OptionValue, name: string): number | null {
  if (given === null || typeof given === 'number') return given;
  return Number(valueOf(type, given, name) as number | bigint);
}

function rangeOf(type: DataType): readonly [number, number] {
  if (type.kind !== 'decimal') return LIMITS[type.kind] ?? SAFE;
  const greatest = Math.min(10 ** type.precision - 1, Number.MAX_SAFE_INTEGER);
  return [-greatest, greatest];
}

function rankCount(values: OptionValue): number {
  if (values === null) return 1000;
  if (typeof values === 'number' && Number.isInteger(values) && values >= 1) return values;
  throw new RangeError('`values` of zipf is how many there are, a whole number of at least 1');
}
