/**
 * The grammar of types, in job files and in CAST:
 *
 *     type   = name ["(" number {"," number} ")"] | array "<" type ">" | map "<" type "," type ">"
 *            | row ("<" | "(") field {"," field} (">" | ")") ; followed by any number of "[]"
 *     field  = name [":"] type
 *
 * SQL's, Flink's and PostgreSQL's names are spellings of ours; case does not count, but in the names of fields.
 */
import { MAX_DECIMAL_PRECISION, nearestName, types } from '../../core/index.ts';
import { problemAt } from '../check/problem.ts';
import type { DataType, Field } from '../../core/index.ts';
import type { Problem, Span } from '../check/problem.ts';

export type ParsedType = { readonly type: DataType } | { readonly problems: readonly Problem[] };

/** A type at the beginning of a longer text. `end` is behind it, or behind what was understood of it. */
export interface TypePrefix {
  readonly type: DataType | null;
  readonly problems: readonly Problem[];
  readonly end: number;
  /** n of a varchar(n): the type is string, and a CAST cuts off the rest. */
  readonly maxLength: number | null;
}

/** Reads a whole text as a type. */
export function parseType(text: string): ParsedType {
  const reader = new TypeReader(text, 0);
  const prefix = reader.prefix();
  if (prefix.type !== null) {
    const rest = reader.rest();
    if (rest === null) return { type: prefix.type };
    const message = /^not\s+null/i.test(text.slice(rest.start))
      ? 'NOT NULL is not a part of a type: every field may be NULL'
      : `\`${text.slice(rest.start, rest.end)}\` was not expected behind the type`;
    return { problems: [problemAt(rest, message)] };
  }
  return { problems: prefix.problems };
}

/** Reads a type that begins at `start`; what follows it is left alone. */
export function parseTypePrefix(text: string, start: number): TypePrefix {
  return new TypeReader(text, start).prefix();
}

const SIMPLE: Readonly<Record<string, DataType>> = {
  boolean: types.boolean,
  bool: types.boolean,
  int: types.int,
  integer: types.int,
  int4: types.int,
  smallint: types.int,
  int2: types.int,
  tinyint: types.int,
  long: types.long,
  bigint: types.long,
  int8: types.long,
  float: types.float,
  real: types.float,
  float4: types.float,
  double: types.double,
  'double precision': types.double,
  float8: types.double,
  string: types.string,
  text: types.string,
  varchar: types.string,
  'character varying': types.string,
  bytes: types.bytes,
  bytea: types.bytes,
  binary: types.bytes,
  varbinary: types.bytes,
  date: types.date,
  time: types.time,
  timestamp: types.timestamp,
  datetime: types.timestamp,
  timestamptz: types.timestamp,
  timestamp_ltz: types.timestamp,
  json: types.json,
  jsonb: types.json,
};
const DECIMALS: readonly string[] = ['decimal', 'numeric', 'dec'];
const NAMES: readonly string[] = [...Object.keys(SIMPLE), ...DECIMALS, 'array', 'map', 'row'];
/** Names whose meaning elsewhere we do not have, and what to write instead. */
const REFUSED: Readonly<Record<string, readonly [string, string | null]>> = {
  char: ['text has no fixed length here', 'string'],
  character: ['text has no fixed length here', 'string'],
  interval: ["an interval is only written as INTERVAL '1' DAY beside a time; store milliseconds", 'long'],
  uuid: ['a UUID is text here', 'string'],
  number: ['say which kind of number: int, long, double or decimal(p,s)', 'double'],
  object: ['say which fields: row<name type, …>, or map<string, T>, or json', 'json'],
  struct: ['a structure is a row<name type, …> here', 'row'],
  list: ['a list is an array<T> here', 'array'],
  uint64: ['there are no unsigned types; decimal(20,0) holds 64 bits', 'decimal(20,0)'],
};
const MAX_TYPE_DEPTH = 32;
const MAX_TIME_PRECISION = 3;

class TypeProblem extends Error {
  readonly problem: Problem;
  constructor(span: Span, message: string, suggestion: string | null = null) {
    super(message);
    this.problem = problemAt(span, message, suggestion);
  }
}

class TypeReader {
  readonly #text: string;
  #at: number;
  #depth = 0;
  #maxLength: number | null = null;

  constructor(text: string, start: number) {
    this.#text = text;
    this.#at = start;
  }

  prefix(): TypePrefix {
    try {
      const type = this.#type();
      return { type, problems: [], end: this.#at, maxLength: this.#maxLength };
    } catch (error) {
      if (!(error instanceof TypeProblem)) throw error;
      return { type: null, problems: [error.problem], end: this.#at, maxLength: null };
    }
  }

  /** What is left of the text, up to the next blank, or null. */
  rest(): Span | null {
    this.#skipBlanks();
    if (this.#at === this.#text.length) return null;
    const length = /^\S+/.exec(this.#text.slice(this.#at))?.[0].length ?? 1;
    return { start: this.#at, end: this.#at + length };
  }

  #type(): DataType {
    if (++this.#depth > MAX_TYPE_DEPTH) throw new TypeProblem(this.#here(), 'the type is nested too deeply');
    let type = this.#named();
    while (this.#take('[')) {
      if (!this.#take(']')) throw this.#expected('`]`');
      type = types.array(type);
      this.#maxLength = null;
    }
    this.#depth--;
    return type;
  }

  #named(): DataType {
    const word = this.#word();
    if (word === null) throw this.#expected('a type');
    const name = this.#longName(word);
    this.#maxLength = null;
    if (name === 'array') return this.#array();
    if (name === 'map') return this.#map();
    if (name === 'row') return this.#row();
    if (DECIMALS.includes(name)) return this.#decimal(word);
    const simple = Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined;
    if (simple === undefined) throw unknownType(name, word);
    this.#precision(simple, name);
    if (simple.kind === 'timestamp' || simple.kind === 'time') this.#timeZone();
    return simple;
  }

  /** The name in lower case, with the second word of those that have two. */
  #longName(word: Word): string {
    const name = word.text.toLowerCase();
    const second = name === 'double' ? 'precision' : name === 'character' ? 'varying' : null;
    if (second === null) return name;
    const before = this.#at;
    const next = this.#word();
    if (next?.text.toLowerCase() === second) return `${name} ${second}`;
    this.#at = before;
    return name;
  }

  #array(): DataType {
    this.#open('array<T>', '<');
    const element = this.#type();
    this.#close('>');
    return types.array(element);
  }

  #map(): DataType {
    this.#open('map<K, V>', '<');
    const keyStart = this.#skipBlanks();
    const key = this.#type();
    if (key.kind === 'array' || key.kind === 'map' || key.kind === 'row' || key.kind === 'json') {
      throw new TypeProblem({ start: keyStart, end: this.#at }, `the keys of a map cannot be of type ${key.kind}`);
    }
    if (!this.#take(',')) throw this.#expected('`,` and the type of the values');
    const value = this.#type();
    this.#close('>');
    return types.map(key, value);
  }

  #row(): DataType {
    const closing = this.#open('row<name type, …>', '<', '(') === '(' ? ')' : '>';
    const fields: Field[] = [];
    do {
      const name = this.#fieldName();
      if (fields.some((field) => field.name === name.text)) {
        throw new TypeProblem(name.span, `the row has two fields named \`${name.text}\``);
      }
      this.#take(':');
      fields.push({ name: name.text, type: this.#type() });
    } while (this.#take(','));
    this.#close(closing);
    this.#maxLength = null;
    return types.row(fields);
  }

  #fieldName(): Word {
    this.#skipBlanks();
    const quote = this.#text[this.#at];
    if (quote === '"' || quote === '`') {
      const start = this.#at;
      const end = this.#text.indexOf(quote, start + 1);
      if (end === -1) throw new TypeProblem(this.#here(), 'the quoted name has no end');
      this.#at = end + 1;
      return { text: this.#text.slice(start + 1, end), span: { start, end: end + 1 } };
    }
    const word = this.#word();
    if (word === null) throw this.#expected('the name of a field');
    return word;
  }

  #decimal(word: Word): DataType {
    const numbers = this.#numbers();
    const [precision = { value: 10, span: word.span }, scale = { value: 0, span: word.span }] = numbers;
    if (numbers.length > 2) throw new TypeProblem(word.span, 'decimal takes a precision and a scale: decimal(10,2)');
    if (precision.value < 1 || precision.value > MAX_DECIMAL_PRECISION) {
      const message = `a decimal has 1 to ${MAX_DECIMAL_PRECISION} digits, not ${precision.value}`;
      throw new TypeProblem(precision.span, message);
    }
    if (scale.value > precision.value) {
      const message = `of ${precision.value} digits, ${scale.value} cannot stand behind the point`;
      throw new TypeProblem(scale.span, message);
    }
    return types.decimal(precision.value, scale.value);
  }

  /** `(n)` behind other types: the length of text and bytes, the precision of times. */
  #precision(type: DataType, name: string): void {
    const numbers = this.#numbers();
    const [first] = numbers;
    if (first === undefined) return;
    if (type.kind === 'timestamp' || type.kind === 'time') {
      if (numbers.length === 1 && first.value <= MAX_TIME_PRECISION) return;
      throw new TypeProblem(first.span, `times have milliseconds: at most ${name}(3)`, '3');
    }
    if (name === 'varchar' || name === 'character varying') {
      this.#maxLength = first.value;
      return;
    }
    throw new TypeProblem(first.span, `${name} takes no number in parentheses`);
  }

  /** `WITH LOCAL TIME ZONE` and the like: all timestamps are instants in UTC. */
  #timeZone(): void {
    const match = /^\s*(?:with(?:out)?\s+(?:local\s+)?time\s+zone)\b/i.exec(this.#text.slice(this.#at));
    if (match !== null) this.#at += match[0].length;
  }

  #numbers(): { readonly value: number; readonly span: Span }[] {
    const numbers: { value: number; span: Span }[] = [];
    if (!this.#take('(')) return numbers;
    do {
      const start = this.#skipBlanks();
      const digits = /^\d{1,9}/.exec(this.#text.slice(start))?.[0];
      if (digits === undefined) throw this.#expected('a number');
      this.#at += digits.length;
      numbers.push({ value: Number(digits), span: { start, end: this.#at } });
    } while (this.#take(','));
    this.#close(')');
    return numbers;
  }

  #open(shape: string, ...openings: readonly string[]): string {
    const found = openings.find((char) => this.#take(char));
    if (found === undefined)
      throw this.#expected(`${openings.map((char) => `\`${char}\``).join(' or ')}, as in ${shape}`);
    return found;
  }

  #close(char: string): void {
    if (!this.#take(char)) throw this.#expected(`\`${char}\``);
  }

  #take(char: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #word(): Word | null {
    const start = this.#skipBlanks();
    const text = /^[\p{L}_][\p{L}\p{N}_$]*/u.exec(this.#text.slice(start, start + 200))?.[0];
    if (text === undefined) return null;
    this.#at += text.length;
    return { text, span: { start, end: this.#at } };
  }

  #skipBlanks(): number {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
    return this.#at;
  }

  #here(): Span {
    const start = this.#skipBlanks();
    return { start, end: Math.min(this.#text.length, start + 1) };
  }

  #expected(what: string): TypeProblem {
    const here = this.#here();
    const found = here.start === here.end ? 'the end' : `\`${this.#text.slice(here.start, here.end)}\``;
    return new TypeProblem(here, `expected ${what}, found ${found}`);
  }
}

interface Word {
  readonly text: string;
  readonly span: Span;
}

function unknownType(name: string, word: Word): TypeProblem {
  const refused = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
  if (refused !== undefined) {
    const [why, instead] = refused;
    return new TypeProblem(word.span, `there is no type \`${word.text}\`: ${why}`, instead);
  }
  const nearest = nearestName(name, NAMES);
  const hint =
    nearest !== null
      ? `did you mean \`${nearest}\`?`
      : 'known are boolean, int, long, float, double, decimal(p,s), string, bytes, date, time, timestamp, json, ' +
        'array<T>, map<K, V>, row<name type, …>';
  return new TypeProblem(word.span, `there is no type \`${word.text}\`; ${hint}`, nearest);
}
