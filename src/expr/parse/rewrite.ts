/**
 * From tokens to a text that PostgreSQL's parser reads as we mean it.
 *
 * Names, texts and types of the user are replaced by placeholders (`"i3"`, `'s4'`: the number is that of the piece), so
 * that only ASCII of ours reaches the parser. That closes its traps at once: it cannot fold the case of names, cut
 * them at 63 bytes or end at a NUL; its offsets (bytes in the tree, code points in errors) are indexes of our text;
 * and every reserved word is free to be a field's name, because a word is only a keyword where one can stand. What the
 * parser does not know (TRY_CAST, array<T>, MAP[…], backticks, FLOOR(x TO MINUTE)) is rewritten into what it does.
 */
import { problemAt } from '../check/problem.ts';
import { parseTypePrefix } from '../types/type-grammar.ts';
import type { AstType } from './ast.ts';
import type { Token } from './lexer.ts';
import type { Problem, Span } from '../check/problem.ts';

/** What one placeholder or keyword of the rewritten text stands for. */
export interface Piece extends Span {
  readonly kind: 'name' | 'string' | 'bytes' | 'number' | 'keyword' | 'type' | 'interval';
  /** As written (names without quotes, strings decoded). */
  readonly text: string;
  readonly quoted: boolean;
  /** A value was possible here; else an operator. */
  readonly operandPosition: boolean;
  readonly type?: AstType;
  readonly interval?: { readonly from: string | null; readonly to: string | null };
}

export interface Rewritten {
  readonly sql: string;
  readonly pieces: readonly Piece[];
  /** Where piece i begins in `sql`. */
  readonly offsets: readonly number[];
  /** From an opening bracket's piece to that of its pair. */
  readonly pairs: ReadonlyMap<number, number>;
  /** Indexes of the CASTs that were TRY_CASTs. */
  readonly safeCasts: ReadonlySet<number>;
  readonly problems: readonly Problem[];
}

const PREFIX = 'SELECT (';

const INFIX_WORDS = new Set([
  'AND',
  'OR',
  'IS',
  'ISNULL',
  'NOTNULL',
  'IN',
  'LIKE',
  'ILIKE',
  'BETWEEN',
  'NOT',
  'ESCAPE',
  'FROM',
  'FOR',
  'WHEN',
  'THEN',
  'ELSE',
  'END',
  'AS',
  'FILTER',
  'PLACING',
]);
/** Keywords in front of a parenthesis only. */
const SYNTAX_FUNCTIONS = new Set(['EXTRACT', 'POSITION', 'SUBSTRING', 'TRIM', 'OVERLAY', 'CAST', 'TRY_CAST']);
const VALUE_WORDS = new Set(['TRUE', 'FALSE', 'NULL']);
const AFTER_IS = new Set(['NOT', 'NULL', 'TRUE', 'FALSE', 'UNKNOWN', 'DISTINCT']);
const TRIM_SIDES = new Set(['BOTH', 'LEADING', 'TRAILING']);
const INTERVAL_UNITS = new Set(['YEAR', 'QUARTER', 'MONTH', 'WEEK', 'DAY', 'HOUR', 'MINUTE', 'SECOND']);

interface Bracket extends Span {
  readonly open: string;
  /** What is emitted for its pair: MAP[…] becomes MAP(…). */
  readonly close: string;
  readonly isCast: boolean;
  readonly index: number;
  /** The piece that begins the operand which its pair ends. */
  readonly first: number;
  /** The operand is a call or a constructor. */
  readonly isCall: boolean;
}

export function rewrite(text: string, tokens: readonly Token[], fieldNames: ReadonlySet<string>): Rewritten {
  return new Rewriter(text, tokens, fieldNames).run();
}

class Rewriter {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #fieldNames: ReadonlySet<string>;
  readonly #pieces: Piece[] = [];
  readonly #emitted: string[] = [];
  /** How many parentheses are put before and behind a piece. */
  readonly #opened: number[] = [];
  readonly #closed: number[] = [];
  readonly #pairs = new Map<number, number>();
  readonly #safeCasts = new Set<number>();
  readonly #problems: Problem[] = [];
  readonly #brackets: Bracket[] = [];
  #at = 0;
  /** The piece that began the operand read last, and whether elements and fields can only be taken in parentheses. */
  #first = 0;
  #isCall = false;
  #operandNext = true;
  /** The keyword emitted last, in upper case; empty after anything else. */
  #lastKeyword = '';

  constructor(text: string, tokens: readonly Token[], fieldNames: ReadonlySet<string>) {
    this.#text = text;
    this.#tokens = tokens;
    this.#fieldNames = fieldNames;
  }

  run(): Rewritten {
    while (this.#at < this.#tokens.length) this.#next();
    for (const open of this.#brackets) this.#problem(open, `the \`${open.open}\` is never closed`);
    return {
      ...this.#join(),
      pieces: this.#pieces,
      pairs: this.#pairs,
      safeCasts: this.#safeCasts,
      problems: this.#problems,
    };
  }

  #join(): Pick<Rewritten, 'sql' | 'offsets'> {
    const offsets: number[] = [];
    let sql = PREFIX;
    this.#emitted.forEach((text, index) => {
      sql += ' ('.repeat(this.#opened[index] ?? 0);
      offsets.push(sql.length + 1);
      sql += ` ${text}${' )'.repeat(this.#closed[index] ?? 0)}`;
    });
    return { sql: `${sql} )`, offsets };
  }

  #next(): void {
    const token = this.#tokens[this.#at++] as Token;
    switch (token.kind) {
      case 'sign':
        return this.#sign(token);
      case 'word':
        return this.#word(token);
      case 'quoted':
        return this.#placeholder(token, 'name', 'i');
      case 'number':
        return this.#emit(token, 'number', token.text, false);
      default:
        return this.#placeholder(token, token.kind, 's');
    }
  }

  #sign(token: Token): void {
    switch (token.text) {
      case '(':
      case '[':
        return this.#open(token, token.text, token.text === '(' ? ')' : ']');
      case ')':
      case ']':
        return this.#close(token);
      case '::':
        this.#emit(token, 'keyword', '::', false);
        return this.#type();
      case '.':
        this.#wrapCall();
        return this.#emit(token, 'keyword', '.', true);
      default:
        // A star in the place of a value is that of COUNT(*).
        return this.#emit(token, 'keyword', token.text, !(token.text === '*' && this.#operandNext));
    }
  }

  /** `f(x)[1]` and `f(x).a` become `(f(x))[1]` and `(f(x)).a`, the only form that the parser takes. */
  #wrapCall(): void {
    const last = this.#pieces.length - 1;
    if (this.#operandNext || !this.#isCall || last < 0) return;
    this.#opened[this.#first] = (this.#opened[this.#first] ?? 0) + 1;
    this.#closed[last] = (this.#closed[last] ?? 0) + 1;
    this.#isCall = false;
  }

  #open(token: Token, emitted: string, close: string): void {
    const keyword = this.#lastKeyword;
    const isCast = keyword === 'CAST';
    const isSyntax = SYNTAX_FUNCTIONS.has(keyword);
    const isGroup = this.#operandNext && !isSyntax;
    if (token.text === '[' && keyword !== 'ARRAY' && emitted === '[') this.#wrapCall();
    const isCall = !isGroup && (emitted === '(' || keyword === 'ARRAY');
    const first = isGroup ? this.#pieces.length : isSyntax ? this.#pieces.length - 1 : this.#first;
    const index = this.#pieces.length;
    this.#brackets.push({ open: token.text, close, isCast, index, first, isCall, start: token.start, end: token.end });
    this.#emit(token, 'keyword', emitted, true);
    // TRIM(BOTH …), FILTER (WHERE …) and f(DISTINCT …) look back over the parenthesis.
    this.#lastKeyword = keyword === 'TRIM' || keyword === 'FILTER' ? keyword : '(';
  }

  #close(token: Token): void {
    const open = this.#brackets.at(-1);
    const expected = open?.open === '(' ? ')' : ']';
    if (open === undefined || expected !== token.text) {
      const message =
        open === undefined
          ? `the \`${token.text}\` has no opening one before it`
          : `expected \`${expected}\` for the \`${open.open}\` opened before, found \`${token.text}\``;
      this.#problem(token, message);
      return;
    }
    this.#brackets.pop();
    this.#pairs.set(open.index, this.#pieces.length);
    this.#emit(token, 'keyword', open.close, false);
    this.#first = open.first;
    this.#isCall = open.isCall;
  }

  #word(token: Token): void {
    const upper = token.text.toUpperCase();
    if (this.#lastKeyword === '.') return this.#placeholder(token, 'name', 'i');
    if (this.#lastKeyword === 'IS' && AFTER_IS.has(upper)) return this.#afterIs(token, upper);
    if (this.#operandNext) return this.#wordForOperand(token, upper);
    if (upper === 'AS' && this.#brackets.at(-1)?.isCast === true) {
      this.#emit(token, 'keyword', 'AS', false);
      return this.#type();
    }
    if (upper === 'TO') return this.#floorTo(token);
    if (!INFIX_WORDS.has(upper)) return this.#placeholder(token, 'name', 'i');
    this.#emit(token, 'keyword', upper, !['ISNULL', 'NOTNULL', 'END', 'FILTER', 'NOT', 'IS'].includes(upper));
  }

  /** IS [NOT] NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM. */
  #afterIs(token: Token, upper: string): void {
    this.#emit(token, 'keyword', upper, false);
    if (upper === 'NOT') this.#lastKeyword = 'IS';
  }

  #wordForOperand(token: Token, upper: string): void {
    const next = this.#tokens[this.#at];
    const nextSign = next?.kind === 'sign' ? next.text : '';
    if (upper === 'NOT' || upper === 'CASE') return this.#emit(token, 'keyword', upper, true);
    if (VALUE_WORDS.has(upper)) return this.#emit(token, 'keyword', upper, false);
    if (upper === 'WHEN' && this.#lastKeyword === 'CASE') return this.#emit(token, 'keyword', upper, true);
    if (/^A?SYMMETRIC$/.test(upper) && this.#lastKeyword === 'BETWEEN')
      return this.#emit(token, 'keyword', upper, true);
    if (TRIM_SIDES.has(upper) && this.#lastKeyword === 'TRIM') return this.#emit(token, 'keyword', upper, true);
    if (upper === 'FROM' && TRIM_SIDES.has(this.#lastKeyword)) return this.#emit(token, 'keyword', upper, true);
    if (upper === 'WHERE' && this.#lastKeyword === 'FILTER') return this.#emit(token, 'keyword', upper, true);
    if (
      (upper === 'DISTINCT' || upper === 'ALL') &&
      this.#lastKeyword === '(' &&
      nextSign !== ')' &&
      nextSign !== ','
    ) {
      return this.#emit(token, 'keyword', upper, true);
    }
    if (SYNTAX_FUNCTIONS.has(upper) && nextSign === '(') return this.#syntaxFunction(token, upper);
    if (upper === 'ARRAY' && nextSign === '[') return this.#emit(token, 'keyword', upper, false);
    if (upper === 'MAP' && nextSign === '[' && !this.#fieldNames.has(token.text)) return this.#mapConstructor(token);
    if (upper === 'INTERVAL' && next?.kind === 'string') return this.#interval(token, next, '');
    const literal = this.#tokens[this.#at + 1];
    if (upper === 'INTERVAL' && /^[+-]$/.test(nextSign) && literal?.kind === 'string') {
      this.#at++;
      return this.#interval(token, literal, nextSign);
    }
    this.#placeholder(token, 'name', 'i');
  }

  #syntaxFunction(token: Token, upper: string): void {
    if (upper === 'TRY_CAST') this.#safeCasts.add(this.#pieces.length);
    const keyword = upper === 'TRY_CAST' ? 'CAST' : upper;
    this.#emit(token, 'keyword', keyword, true);
  }

  #mapConstructor(token: Token): void {
    this.#placeholder(token, 'name', 'i');
    this.#open(this.#tokens[this.#at++] as Token, '(', ')');
  }

  /** INTERVAL -'1' DAY TO SECOND(3) becomes one piece. */
  #interval(token: Token, literal: Token, sign: string): void {
    this.#at++;
    const from = this.#unit();
    let to: string | null = null;
    if (from !== null && this.#tokens[this.#at]?.text.toUpperCase() === 'TO') {
      this.#at++;
      to = this.#unit();
      if (to === null) this.#problem(this.#tokens[this.#at - 1] ?? token, 'expected a unit of time behind TO');
    }
    const end = this.#tokens[this.#at - 1]?.end ?? literal.end;
    const span = { start: token.start, end };
    this.#append(
      { ...span, kind: 'interval', text: sign + literal.text, quoted: false, interval: { from, to } },
      'i',
      false,
    );
  }

  /** A unit with its optional precision. */
  #unit(): string | null {
    const token = this.#tokens[this.#at];
    const unit = token?.kind === 'word' ? token.text.toUpperCase().replace(/S$/, '') : '';
    if (!INTERVAL_UNITS.has(unit)) return null;
    this.#at++;
    const [open, number, close] = this.#tokens.slice(this.#at, this.#at + 3);
    if (open?.text === '(' && number?.kind === 'number' && close?.text === ')') this.#at += 3;
    return unit;
  }

  /** Flink's FLOOR(x TO UNIT) becomes FLOOR(x, 'UNIT'). */
  #floorTo(token: Token): void {
    const unit = this.#tokens[this.#at];
    if (unit?.kind !== 'word' || this.#tokens[this.#at + 1]?.text !== ')') return this.#placeholder(token, 'name', 'i');
    this.#at++;
    this.#emit(token, 'keyword', ',', true);
    this.#append({ kind: 'string', text: unit.text, quoted: false, start: unit.start, end: unit.end }, 's', false);
  }

  /** The type behind AS or ::, read with our own grammar. */
  #type(): void {
    const start = this.#tokens[this.#at]?.start ?? this.#text.length;
    const prefix = parseTypePrefix(this.#text, start);
    this.#problems.push(...prefix.problems);
    const inCast = this.#lastKeyword === 'AS';
    const end = prefix.type === null ? this.#afterFailedType(inCast, start) : prefix.end;
    const span = { start, end };
    while ((this.#tokens[this.#at]?.start ?? end) < end) this.#at++;
    const type: AstType = { type: prefix.type, maxLength: prefix.maxLength, span };
    this.#append({ ...span, kind: 'type', text: this.#text.slice(start, end), quoted: false, type }, 'i', false);
  }

  /** Goes on behind the parenthesis that ends the CAST, or behind one word. */
  #afterFailedType(inCast: boolean, start: number): number {
    let depth = 0;
    for (const token of this.#tokens.slice(this.#at)) {
      if (!inCast) return token.end;
      if (token.text === '(' || token.text === '[') depth++;
      if ((token.text === ')' || token.text === ']') && depth-- === 0) return token.start;
    }
    return Math.max(start, this.#text.length);
  }

  #placeholder(token: Token, kind: Piece['kind'], letter: 'i' | 's'): void {
    const { text, start, end } = token;
    this.#append({ kind, text, quoted: token.kind === 'quoted', start, end }, letter, false);
  }

  #append(piece: Omit<Piece, 'operandPosition'>, letter: 'i' | 's', operandNext: boolean): void {
    const quote = letter === 'i' ? '"' : "'";
    const emitted = `${quote}${letter}${this.#pieces.length}${quote}`;
    this.#add(piece, emitted, operandNext);
    this.#lastKeyword = '';
  }

  #emit(token: Token, kind: 'keyword' | 'number', emitted: string, operandNext: boolean): void {
    const { text, start, end } = token;
    this.#add({ kind, text, quoted: false, start, end }, emitted, operandNext);
    this.#lastKeyword = kind === 'keyword' ? emitted : '';
  }

  #add(piece: Omit<Piece, 'operandPosition'>, emitted: string, operandNext: boolean): void {
    if (this.#operandNext && this.#lastKeyword !== '.') {
      this.#first = this.#pieces.length;
      this.#isCall = false;
    }
    this.#pieces.push({ ...piece, operandPosition: this.#operandNext });
    this.#emitted.push(emitted);
    this.#operandNext = operandNext;
  }

  #problem(span: Span, message: string): void {
    this.#problems.push(problemAt(span, message));
  }
}
