/** Text → syntax tree, or everything that is wrong with it. */
import { problemAt } from '../check/problem.ts';
import { tokenize } from './lexer.ts';
import { rewrite } from './rewrite.ts';
import { parseSql } from './sql-parser.ts';
import { tooDeep, translate } from './translate.ts';
import type { Ast } from './ast.ts';
import type { Piece, Rewritten } from './rewrite.ts';
import type { Problem } from '../check/problem.ts';

export interface Parsed {
  /** Null where the text could not be read at all. */
  readonly ast: Ast | null;
  /** May be there although the tree is: a foreign operator was understood, a type was wrong. */
  readonly problems: readonly Problem[];
}

const MAX_TEXT_LENGTH = 200_000;
const MAX_TOKENS = 50_000;

/** `fieldNames` tell a field named `map` from the constructor. */
export function parse(text: string, fieldNames: ReadonlySet<string>): Parsed {
  if (text.length > MAX_TEXT_LENGTH) {
    return failed(0, text.length, `the expression is too long; the most is ${MAX_TEXT_LENGTH} characters`);
  }
  const { tokens, problems } = tokenize(text);
  if (tokens.length === 0 && problems.length === 0)
    return failed(0, text.length, 'an expression was expected, but there is none');
  if (tokens.length > MAX_TOKENS)
    return failed(0, text.length, `the expression has more than ${MAX_TOKENS} words and signs`);
  const rewritten = rewrite(text, tokens, fieldNames);
  const known = [...problems, ...rewritten.problems];
  const result = parseSql(rewritten.sql);
  if ('tree' in result) {
    const translated = translate(result.tree, rewritten, text);
    if ('ast' in translated) return { ast: translated.ast, problems: known };
    return { ast: null, problems: [...known, translated.problem] };
  }
  // What is already known to be wrong most likely is the reason.
  if (known.length > 0) return { ast: null, problems: known };
  if (result.failure === 'too-deep') return { ast: null, problems: [tooDeep(text)] };
  return { ast: null, problems: [syntaxProblem(result.offset, rewritten, text)] };
}

function failed(start: number, end: number, message: string): Parsed {
  return { ast: null, problems: [problemAt({ start, end }, message)] };
}

/** Words that other dialects have between or before values. */
const HINTS: Readonly<Record<string, string>> = {
  SIMILAR: 'for SIMILAR TO write REGEXP_LIKE(text, pattern)',
  RLIKE: 'for RLIKE write REGEXP_LIKE(text, pattern)',
  REGEXP: 'for REGEXP write REGEXP_LIKE(text, pattern)',
  DIV: 'integers are divided with `/`, which truncates',
  MOD: 'remainders are written a % b or MOD(a, b)',
  XOR: 'for XOR of booleans write a <> b',
  COLLATE: 'text is compared by code point; there are no collations',
  AT: 'timestamps are instants in UTC; add or subtract an INTERVAL for another zone',
  OVER: 'windows belong to the `window` of an aggregate step',
  SELECT: 'subqueries are not a part of expressions',
  AS: 'the name of a field stands before its expression: `NAME: EXPRESSION`',
  IF: 'a choice is written CASE WHEN condition THEN a ELSE b END, or IF(condition, a, b)',
  WHERE: 'only the condition itself is written',
};

function syntaxProblem(offset: number, rewritten: Rewritten, text: string): Problem {
  const index = rewritten.offsets.findLastIndex((start) => start <= offset);
  const piece = rewritten.pieces[index];
  const isEnd = piece === undefined || offset >= rewritten.sql.length - 1;
  if (isEnd) return atEnd(rewritten, text);
  const shown = text.slice(piece.start, Math.min(piece.end, piece.start + 40));
  const hint = hintFor(index, rewritten);
  const what = `expected ${piece.operandPosition ? 'a value' : 'an operator or the end'}, found \`${shown}\``;
  return problemAt(piece, hint === null ? what : `${what}: ${hint}`);
}

function atEnd(rewritten: Rewritten, text: string): Problem {
  const end = text.trimEnd().length;
  const last = rewritten.pieces.at(-1);
  const span = last === undefined ? { start: 0, end } : { start: last.start, end: last.end };
  const hasCase = rewritten.pieces.some((piece) => piece.kind === 'keyword' && piece.text.toUpperCase() === 'CASE');
  const hasEnd = rewritten.pieces.some((piece) => piece.kind === 'keyword' && piece.text.toUpperCase() === 'END');
  if (hasCase && !hasEnd) return problemAt(span, 'the CASE has no END');
  return problemAt(span, 'the expression ends too early: expected a value behind it');
}

function hintFor(index: number, { pieces }: Rewritten): string | null {
  const piece = pieces[index] as Piece;
  const word = piece.text.toUpperCase();
  const isWord = piece.kind === 'name' || piece.kind === 'keyword';
  if (isWord && !piece.quoted && Object.hasOwn(HINTS, word)) return HINTS[word] ?? null;
  const before = pieces[index - 1];
  const earlier = before?.text.toUpperCase() ?? '';
  if (before?.kind === 'name' && !before.quoted && Object.hasOwn(HINTS, earlier)) return HINTS[earlier] ?? null;
  if (piece.kind === 'name' && before?.kind === 'keyword' && /^(AND|OR|NOT)$/.test(earlier)) return null;
  if (piece.kind === 'keyword' && piece.operandPosition && /^[A-Z]+$/i.test(piece.text)) {
    return `to use a field named ${piece.text}, write it in double quotes: "${piece.text}"`;
  }
  return null;
}
