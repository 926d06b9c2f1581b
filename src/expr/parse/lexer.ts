/**
 * Tokens of an expression, with their places in UTF-16 units. SQL's lexical rules as far as expressions need them; what
 * is outside of them (dollar quotes, parameters, semicolons, NUL, JavaScript's operators) is a problem that says what
 * to write instead, and the rest is still read.
 */
import { problemAt } from '../check/problem.ts';
import type { Problem, Span } from '../check/problem.ts';

export type TokenKind =
  /** An unquoted name or keyword, as written. */
  | 'word'
  /** "quoted" or `quoted`; the text is without quotes. */
  | 'quoted'
  | 'string'
  /** X'…'; the text is hexadecimal digits. */
  | 'bytes'
  | 'number'
  /** Operators and punctuation. */
  | 'sign';

export interface Token extends Span {
  readonly kind: TokenKind;
  readonly text: string;
}

export interface Tokens {
  readonly tokens: readonly Token[];
  readonly problems: readonly Problem[];
}

const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const BLANKS = /(?:\s|--[^\n]*)+/y;
/** Longest first. */
const SIGNS = [
  '->>',
  '!~*',
  '::',
  '->',
  '<=',
  '>=',
  '<>',
  '!=',
  '||',
  '!~',
  '~*',
  '=>',
  '(',
  ')',
  '[',
  ']',
  ',',
  '.',
  '+',
  '-',
  '*',
  '/',
  '%',
  '=',
  '<',
  '>',
  '~',
  ':',
] as const;
/** What other languages write, and SQL's sign for it. Longest first. */
const FOREIGN: readonly (readonly [string, string | null, string])[] = [
  ['===', '=', 'equality is `=` in SQL'],
  ['!==', '<>', 'inequality is `<>` in SQL'],
  ['==', '=', 'equality is `=` in SQL'],
  ['&&', 'AND', '`&&` is `AND` in SQL'],
  ['**', null, 'for powers write POWER(a, b)'],
  ['??', null, 'write COALESCE(a, b)'],
  ['!', 'NOT', '`!` is `NOT` in SQL'],
  ['^', null, 'for powers write POWER(a, b)'],
  ['?', null, 'a choice is written CASE WHEN condition THEN a ELSE b END'],
  [';', null, 'an expression holds no `;`'],
  ['$', null, '`$` does not stand in expressions; variables of the job file are `${NAME}`'],
  ['{', null, 'braces do not stand in expressions'],
  ['}', null, 'braces do not stand in expressions'],
];

export function tokenize(text: string): Tokens {
  return new Lexer(text).run();
}

class Lexer {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  readonly #problems: Problem[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): Tokens {
    for (;;) {
      this.#skipBlanks();
      if (this.#at >= this.#text.length) break;
      this.#token();
    }
    return { tokens: this.#tokens, problems: this.#problems };
  }

  #token(): void {
    const start = this.#at;
    const char = this.#text[start] ?? '';
    const next = this.#text[start + 1] ?? '';
    if (char === "'") return this.#quotedText(start, start, 'string');
    if (char === '"' || char === '`') return this.#quotedText(start, start, 'quoted');
    if (next === "'" && /[xX]/.test(char)) return this.#bytes(start);
    if (next === "'" && /[eE]/.test(char)) return this.#escapedText(start);
    const number = match(NUMBER, this.#text, start);
    // `a.1` is no field; but `1.` and `.5` are numbers.
    if (number !== null) return this.#number(number, start);
    const word = match(WORD, this.#text, start);
    if (word !== null) return this.#push('word', word, start, start + word.length);
    this.#sign(start);
  }

  #number(number: string, start: number): void {
    const end = start + number.length;
    const tail = match(WORD, this.#text, end);
    if (tail !== null) {
      const whole = { start, end: end + tail.length };
      this.#problem(whole, `\`${number}${tail}\` is neither a number nor a name; quote names that begin with a digit`);
      this.#at = whole.end;
      this.#tokens.push({ kind: 'number', text: number, ...whole });
      return;
    }
    this.#push('number', number, start, end);
  }

  #sign(start: number): void {
    const foreign = FOREIGN.find(
      ([sign]) => this.#text.startsWith(sign, start) && !(sign === '!' && /[=~]/.test(this.#text[start + 1] ?? '')),
    );
    const sign = SIGNS.find((known) => this.#text.startsWith(known, start));
    if (foreign !== undefined && (sign === undefined || foreign[0].length > sign.length)) {
      const [spelling, instead, hint] = foreign;
      const span = { start, end: start + spelling.length };
      this.#problems.push(problemAt(span, hint, instead));
      this.#at = span.end;
      if (instead !== null) this.#tokens.push({ kind: /\w/.test(instead) ? 'word' : 'sign', text: instead, ...span });
      return;
    }
    if (sign !== undefined) return this.#push('sign', sign, start, start + sign.length);
    const codePoint = this.#text.codePointAt(start) ?? 0;
    const char = String.fromCodePoint(codePoint);
    const shown =
      codePoint < 0x20 || codePoint === 0x7f
        ? `U+${codePoint.toString(16).padStart(4, '0').toUpperCase()}`
        : `\`${char}\``;
    this.#problem({ start, end: start + char.length }, `the character ${shown} does not stand in expressions`);
    this.#at = start + char.length;
  }

  /** From the quote at `open` to its pair; a doubled quote is one. */
  #quotedText(start: number, open: number, kind: 'string' | 'quoted'): void {
    const quote = this.#text[open] ?? '';
    let end = open + 1;
    for (;;) {
      end = this.#text.indexOf(quote, end);
      if (end === -1) return this.#unclosed(start, kind);
      if (this.#text[end + 1] !== quote) break;
      end += 2;
    }
    const text = this.#text
      .slice(open + 1, end)
      .replaceAll(quote + quote, quote)
      .toWellFormed();
    if (kind === 'quoted' && text === '')
      this.#problem({ start, end: end + 1 }, 'the name between the quotes is empty');
    this.#push(kind, text, start, end + 1);
  }

  #unclosed(start: number, kind: 'string' | 'quoted' | 'bytes'): void {
    const what = kind === 'quoted' ? 'quoted name' : 'text in quotes';
    this.#problem({ start, end: start + 1 }, `the ${what} that begins here has no end`);
    this.#push(kind, '', start, this.#text.length);
  }

  #bytes(start: number): void {
    const end = this.#text.indexOf("'", start + 2);
    if (end === -1) return this.#unclosed(start, 'bytes');
    const digits = this.#text.slice(start + 2, end);
    if (!/^(?:[0-9a-fA-F]{2})*$/.test(digits)) {
      this.#problem({ start, end: end + 1 }, "bytes are written as pairs of hexadecimal digits: X'CAFE'");
    }
    this.#push('bytes', digits, start, end + 1);
  }

  /** PostgreSQL's E'…' with the escapes that JSON has too, and \'. */
  #escapedText(start: number): void {
    let text = '';
    for (let at = start + 2; at < this.#text.length; at++) {
      const char = this.#text[at] ?? '';
      if (char === "'" && this.#text[at + 1] !== "'") return this.#push('string', text.toWellFormed(), start, at + 1);
      if (char === "'") at++;
      if (char !== '\\') {
        text += char;
        continue;
      }
      const escape = /^\\(?:([bfnrt])|u([0-9a-fA-F]{4})|([\\'"]))/.exec(this.#text.slice(at, at + 6));
      if (escape === null) {
        this.#problem(
          { start: at, end: Math.min(at + 2, this.#text.length) },
          "escapes in E'…' are \\b \\f \\n \\r \\t \\\\ \\' and \\uXXXX",
        );
        continue;
      }
      at += escape[0].length - 1;
      if (escape[1] !== undefined) text += { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }[escape[1]] ?? '';
      else if (escape[2] !== undefined) text += String.fromCharCode(Number.parseInt(escape[2], 16));
      else text += escape[3] ?? '';
    }
    this.#unclosed(start, 'string');
  }

  #skipBlanks(): void {
    for (;;) {
      this.#at += match(BLANKS, this.#text, this.#at)?.length ?? 0;
      if (!this.#text.startsWith('/*', this.#at)) return;
      const end = this.#text.indexOf('*/', this.#at + 2);
      if (end === -1) this.#problem({ start: this.#at, end: this.#at + 2 }, 'the comment that begins here has no end');
      this.#at = end === -1 ? this.#text.length : end + 2;
    }
  }

  #push(kind: TokenKind, text: string, start: number, end: number): void {
    this.#tokens.push({ kind, text, start, end });
    this.#at = end;
  }

  #problem(span: Span, message: string): void {
    this.#problems.push(problemAt(span, message));
  }
}

function match(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  const found = pattern.exec(text)?.[0];
  return found === undefined || found === '' ? null : found;
}
