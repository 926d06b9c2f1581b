/**
 * Options are rows of tables: one table gives the type, the validation, the help and docs/generated/config.md.
 * Durations and sizes are parsed once, here, to milliseconds and bytes. All problems are reported at once.
 */
import { nearestName } from './nearest-name.ts';

export type OptionKind =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'number'
  /** `10s`, `500ms`, `5m`, `1h`, `1d` → milliseconds. */
  | 'duration'
  /** `64MiB`, `1GB`, `512` → bytes. */
  | 'size'
  /** One of `values`. */
  | 'enum'
  /** A list, or one string with commas, of strings. */
  | 'list'
  /** A mapping of strings. */
  | 'map'
  /** Anything that YAML can say; `validate` judges. */
  | 'any';

export type OptionValue =
  | string
  | number
  | boolean
  | null
  | readonly OptionValue[]
  | { readonly [key: string]: OptionValue };

export type OptionScope = 'job' | 'connector' | 'format' | 'process' | 'cluster';

export interface OptionRow {
  readonly kind: OptionKind;
  readonly doc: string;
  /** In the spelling of a job file (`10s`, not 10000); absent means that there is none. */
  readonly default?: OptionValue;
  readonly required?: boolean;
  readonly values?: readonly string[];
  /** The unit of a number. */
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  /** A duration may be `never`, which is Infinity. */
  readonly mayBeNever?: boolean;
  /** What Kafka, Flink or Kafka Connect call it: understood in error messages, not accepted. */
  readonly aliases?: readonly string[];
  /** Never shown in logs, plans or the API. */
  readonly secret?: boolean;
  readonly scope?: OptionScope;
  /** What is wrong with a value of the right kind, or null. */
  readonly validate?: (value: OptionValue) => string | null;
}

export type OptionTable = Readonly<Record<string, OptionRow>>;

export interface OptionProblem {
  /** The keys that lead to the value, from the table's own mapping down. */
  readonly path: readonly (string | number)[];
  readonly what: 'unknown' | 'missing' | 'invalid';
  /** What is wrong and what was expected. */
  readonly message: string;
  /** The name that was probably meant. */
  readonly suggestion: string | null;
}

type ValueOf<Row extends OptionRow> = Row['kind'] extends 'string'
  ? string
  : Row['kind'] extends 'enum'
    ? Row extends { readonly values: readonly (infer V)[] }
      ? V
      : string
    : Row['kind'] extends 'boolean'
      ? boolean
      : Row['kind'] extends 'integer' | 'number' | 'duration' | 'size'
        ? number
        : Row['kind'] extends 'list'
          ? readonly string[]
          : Row['kind'] extends 'map'
            ? Readonly<Record<string, string>>
            : OptionValue;

/** The parsed values of a table: rows that are required or have a default are always there. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Key in keyof Table]: Table[Key] extends { readonly required: true }
    ? ValueOf<Table[Key]>
    : Table[Key] extends { readonly default: OptionValue }
      ? ValueOf<Table[Key]>
      : ValueOf<Table[Key]> | null;
};

export function defineOptions<const Table extends OptionTable>(table: Table): Table {
  return Object.freeze(table);
}

export interface ParsedOptions<Table extends OptionTable> {
  /** Complete only where `problems` is empty. */
  readonly values: OptionValues<Table>;
  readonly problems: readonly OptionProblem[];
}

export function parseOptions<Table extends OptionTable>(
  table: Table,
  raw: Readonly<Record<string, unknown>>,
): ParsedOptions<Table> {
  const problems: OptionProblem[] = [];
  const values: Record<string, OptionValue> = {};
  for (const key of Object.keys(raw)) {
    if (!Object.hasOwn(table, key)) problems.push(unknownOption(table, key));
  }
  for (const [key, row] of Object.entries(table)) {
    const given = raw[key];
    if (given === undefined || given === null) {
      if (row.required === true) {
        const message = `\`${key}\` is required: ${row.doc}`;
        problems.push({ path: [key], what: 'missing', message, suggestion: null });
      }
      values[key] = row.default === undefined ? null : (convert(row, row.default).value as OptionValue);
      continue;
    }
    const converted = convert(row, given);
    if (converted.problem !== null) {
      problems.push({
        path: [key],
        what: 'invalid',
        message: `\`${key}\` ${converted.problem}`,
        suggestion: converted.suggestion ?? null,
      });
      values[key] = null;
    } else {
      values[key] = converted.value as OptionValue;
    }
  }
  return { values: values as OptionValues<Table>, problems };
}

function unknownOption(table: OptionTable, key: string): OptionProblem {
  const aliased = Object.entries(table).find(([, row]) => row.aliases?.includes(key) === true);
  const suggestion = aliased?.[0] ?? nearestName(key, Object.keys(table));
  const hint = suggestion === null ? `; known: ${Object.keys(table).join(', ')}` : `; did you mean \`${suggestion}\`?`;
  return { path: [key], what: 'unknown', message: `unknown option \`${key}\`${hint}`, suggestion };
}

interface Converted {
  readonly value?: OptionValue;
  readonly problem: string | null;
  readonly suggestion?: string | null;
}

function convert(row: OptionRow, given: unknown): Converted {
  const converted = convertKind(row, given);
  if (converted.problem !== null) return converted;
  const value = converted.value as OptionValue;
  if (typeof value === 'number') {
    const { min, max } = row;
    if (min !== undefined && value < min) return { problem: `must be at least ${min}, not ${String(given)}` };
    if (max !== undefined && value > max) return { problem: `must be at most ${max}, not ${String(given)}` };
  }
  return { value, problem: row.validate?.(value) ?? null };
}

function convertKind(row: OptionRow, given: unknown): Converted {
  switch (row.kind) {
    case 'string':
      if (typeof given === 'string') return { value: given, problem: null };
      if (typeof given === 'number' || typeof given === 'boolean') return { value: String(given), problem: null };
      return { problem: `must be a string, not ${kindOf(given)}` };
    case 'boolean':
      if (typeof given === 'boolean') return { value: given, problem: null };
      if (given === 'true' || given === 'false') return { value: given === 'true', problem: null };
      return { problem: `must be true or false, not ${shown(given)}` };
    case 'integer':
    case 'number':
      return convertNumber(row.kind, given);
    case 'duration':
      if (row.mayBeNever === true && given === 'never') return { value: Infinity, problem: null };
      return withUnits(given, DURATION_UNITS, 'a duration such as 500ms, 10s, 5m, 1h or 1d');
    case 'size':
      return withUnits(given, SIZE_UNITS, 'a size such as 512KiB, 64MiB or 1GB');
    case 'enum':
      return convertEnum(row.values ?? [], given);
    case 'list':
      return convertList(given);
    case 'map':
      return convertMap(given);
    case 'any':
      return { value: given as OptionValue, problem: null };
  }
}

function convertNumber(kind: 'integer' | 'number', given: unknown): Converted {
  const number = typeof given === 'string' && /^[+-]?\d+(\.\d+)?$/.test(given.trim()) ? Number(given) : given;
  const must = (what: string): Converted => ({ problem: `must be ${what}, not ${shown(given)}` });
  if (typeof number !== 'number' || !Number.isFinite(number)) return must('a number');
  if (kind === 'integer' && !Number.isSafeInteger(number)) return must('a whole number');
  return { value: number, problem: null };
}

function convertEnum(allowed: readonly string[], given: unknown): Converted {
  const text = typeof given === 'boolean' || typeof given === 'number' ? String(given) : given;
  if (typeof text === 'string' && allowed.includes(text)) return { value: text, problem: null };
  const suggestion = typeof text === 'string' ? nearestName(text, allowed) : null;
  const hint = suggestion === null ? '' : `; did you mean \`${suggestion}\`?`;
  return { problem: `must be one of ${allowed.join(', ')}, not ${shown(given)}${hint}`, suggestion };
}

function convertList(given: unknown): Converted {
  if (typeof given === 'string') {
    return { value: given.split(',').map((s) => s.trim()).filter((s) => s !== ''), problem: null };
  }
  if (Array.isArray(given) && given.every((item) => typeof item === 'string' || typeof item === 'number')) {
    return { value: given.map(String), problem: null };
  }
  return { problem: `must be a list of strings, not ${kindOf(given)}` };
}

function convertMap(given: unknown): Converted {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return { problem: `must be a mapping of strings, not ${kindOf(given)}` };
  }
  const entries = Object.entries(given);
  if (entries.some(([, v]) => typeof v === 'object')) return { problem: 'must be a mapping of strings' };
  return { value: Object.fromEntries(entries.map(([k, v]) => [k, String(v)])), problem: null };
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

function withUnits(given: unknown, units: Readonly<Record<string, number>>, expected: string): Converted {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(String(given));
  const unit = match?.[2]?.toLowerCase() ?? '';
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  // A bare number has no unit of time: 10 could be seconds or milliseconds. Zero is the same in all of them.
  const isZero = match !== null && Number(match[1]) === 0;
  if (match === null || (factor === undefined && !isZero)) {
    return { problem: `must be ${expected}, not ${shown(given)}` };
  }
  return { value: Math.round(Number(match[1]) * (factor ?? 1)), problem: null };
}

function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? `\`${String(value)}\``
    : kindOf(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : `a ${typeof value}`;
}
