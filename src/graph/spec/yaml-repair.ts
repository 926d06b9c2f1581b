/**
 * Parses YAML so that one mistake does not hide the next. A value that YAML cuts, and a line that is not YAML, derails
 * everything behind it; so each is reported, masked in the text by characters of equal number (all positions stay), and
 * the text is parsed again.
 */
import { isAlias, isMap, isPair, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Scalar, YAMLError } from 'yaml';
import type { SourceText, TextRange } from './source-text.ts';
import { intendedFlowEnd, isBalanced } from './yaml-traps.ts';

export interface RepairedYaml {
  readonly document: Document;
  /** Values that were masked: start → what the file says there. */
  readonly masked: ReadonlyMap<number, string>;
  readonly cuts: readonly YamlCut[];
  readonly errors: readonly YamlMistake[];
  /** Offsets of lines that were left out. */
  readonly leftOut: readonly number[];
}

export interface YamlCut extends TextRange {
  readonly reason: string;
  /** The value as it should be written. */
  readonly suggestion: string;
}

export interface YamlMistake extends TextRange {
  readonly message: string;
  readonly hint: string | null;
}

/** Larger files are parsed once, without repair, so that reading a hostile one stays cheap. */
const MAX_REPAIRED_LENGTH = 65_536;
const MAX_ROUNDS = 24;

type Parsed = Document.Parsed & { readonly errors: YAMLError[] };

export function parseRepaired(source: SourceText): RepairedYaml {
  let text = source.text;
  const masked = new Map<number, string>();
  const cuts: YamlCut[] = [];
  const errors: YamlMistake[] = [];
  const leftOut: number[] = [];
  let document = parse(text);
  for (let round = 0; round < MAX_ROUNDS && text.length <= MAX_REPAIRED_LENGTH; round++) {
    const found = findCuts(document, text, source);
    if (found.length > 0) {
      for (const cut of found) {
        masked.set(cut.start, source.text.slice(cut.start, cut.end));
        cuts.push(cut);
        text = text.slice(0, cut.start) + 'x'.repeat(cut.end - cut.start) + text.slice(cut.end);
      }
      document = parse(text);
      continue;
    }
    const first = document.errors[0];
    if (first === undefined) break;
    const offset = firstOffsetToLeaveOut(text, first.pos[0], source);
    if (offset === null) break;
    const shorter = `${text.slice(0, offset)}#${text.slice(offset + 1)}`;
    const attempt = parse(shorter);
    if (attempt.errors.length >= document.errors.length) break;
    errors.push(mistakeOf(first));
    leftOut.push(offset);
    text = shorter;
    document = attempt;
  }
  errors.push(...remainingMistakes(document, source));
  return { document, masked, cuts, errors, leftOut };
}

function parse(text: string): Parsed {
  return parseDocument(text, {
    keepSourceTokens: true,
    prettyErrors: false,
    // Keys are compared when the document is read: with positions, and not in quadratic time.
    uniqueKeys: false,
    version: '1.2',
    schema: 'core',
    merge: false,
    // The silent level would hide that there are several documents.
    logLevel: 'error',
  });
}

/** Every cut of one parse that does not overlap another. */
function findCuts(document: Parsed, text: string, source: SourceText): YamlCut[] {
  const found: YamlCut[] = [];
  const add = (cut: YamlCut | null) => {
    if (cut === null || cut.end <= cut.start) return;
    if (found.some((other) => cut.start < other.end && other.start < cut.end)) return;
    found.push(cut);
  };
  visitScalars(document.contents, false, (scalar, inFlow) => {
    if (scalar.type !== 'PLAIN' || !scalar.range) return;
    const [start, end] = scalar.range;
    add(inFlow ? flowCut(text, start, end, source) : commentCut(text, start, end, source));
  });
  for (const error of document.errors) add(errorCut(document, error, text, source));
  return found;
}

function flowCut(text: string, start: number, end: number, source: SourceText): YamlCut | null {
  if (isBalanced(text.slice(start, end)) && !/[[{]/.test(text[end] ?? '')) return null;
  const intended = intendedFlowEnd(text, start, source.lineEnd(start));
  if (intended === null || intended <= end) return null;
  const next = text.slice(end, intended).trimStart()[0] ?? '';
  const reason =
    next === '#'
      ? 'inside {…}, ` #` starts a comment'
      : `inside {…} and […], \`${next}\` ends a value, and so \`${text.slice(start, end)}\` is left of it`;
  return { start, end: intended, reason, suggestion: quoted(text.slice(start, intended)) };
}

/** `filter: name = 'a #1'`: the rest of the line is a comment, and a quote is left open. */
function commentCut(text: string, start: number, end: number, source: SourceText): YamlCut | null {
  if (!/^[^\S\n]+#/.test(text.slice(end, source.lineEnd(end))) || isBalanced(text.slice(start, end))) return null;
  const whole = text.slice(start, continuationEnd(text, start, end, source)).trimEnd();
  if (!isBalanced(whole)) return null;
  return {
    start,
    end: start + whole.length,
    reason: `\` #\` starts a comment, and so only \`${oneLine(text.slice(start, end))}\` is left of it`,
    suggestion: quoted(whole),
  };
}

/** The end of the last line that belongs to a value in block style: those below are indented less. */
function continuationEnd(text: string, start: number, end: number, source: SourceText): number {
  const indent = indentAt(text, source.lineStart(start));
  let last = source.lineEnd(end);
  for (let next = text.indexOf('\n', last) + 1; next > 0 && next < text.length; next = text.indexOf('\n', last) + 1) {
    if (indentAt(text, next) <= indent) break;
    last = source.lineEnd(next);
  }
  return last;
}

/** How far the first name of a line is indented; the dash of a list item counts as a space. */
function indentAt(text: string, lineStart: number): number {
  let at = lineStart;
  while (text[at] === ' ' || (text[at] === '-' && text[at + 1] === ' ')) at++;
  return at - lineStart;
}

const AFTER_KEY = /^(\s*(?:- +)*[^\s:#'"{}[\],]+:[ \t]+)(\S.*)$/;

/** Errors that come of one value: the whole rest of its line was meant. */
function errorCut(document: Parsed, error: YAMLError, text: string, source: SourceText): YamlCut | null {
  const isQuote = error.code === 'MISSING_CHAR' && error.message.includes('quote');
  const at = isQuote ? unclosedQuote(document, error.pos[0], text) : error.pos[0];
  if (at === null) return null;
  const lineStart = source.lineStart(at);
  const line = text.slice(lineStart, source.lineEnd(at));
  const match = AFTER_KEY.exec(line);
  if (match === null) return null;
  const start = lineStart + (match[1]?.length ?? 0);
  const value = (match[2] ?? '').trimEnd();
  const reason = at < start || !sameLine(source, at, start) ? null : valueReason(error, value, isQuote);
  if (reason === null) return null;
  const suggestion = isQuote ? `${value}${value[0] ?? ''}` : quoted(value);
  return { start, end: start + value.length, reason, suggestion };
}

/** In YAML's double quotes, or in single ones where that needs no escape. */
function quoted(value: string): string {
  const line = oneLine(value);
  return line.includes('"') && !line.includes("'") ? `'${line}'` : `"${line.replace(/["\\]/g, '\\$&')}"`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}

function sameLine(source: SourceText, a: number, b: number): boolean {
  return source.lineIndex(a) === source.lineIndex(b);
}

function valueReason(error: YAMLError, value: string, isQuote: boolean): string | null {
  const first = value[0] ?? '';
  if (isQuote) return `it begins with ${first}, and no other ${first} closes it`;
  if (error.code === 'BLOCK_AS_IMPLICIT_KEY' && /:(\s|$)/.test(value)) {
    return '`: ` makes a mapping of it';
  }
  if (error.code === 'BAD_SCALAR_START') return `\`${first}\` cannot begin a value`;
  if (error.code !== 'UNEXPECTED_TOKEN') return null;
  if (first === "'" || first === '"') return `it begins with ${first}, and so ends at the next ${first}`;
  if (first === '>' || first === '|') return `\`${first}\` at the beginning makes a block of the lines below`;
  if ((first === '{' || first === '[') && error.message.includes('at node end')) {
    return `it begins with ${first}, and so ends at the bracket that closes it`;
  }
  return null;
}

/** Where the quoted scalar begins that runs to the end of the text. */
function unclosedQuote(document: Parsed, errorAt: number, text: string): number | null {
  let start: number | null = null;
  visitScalars(document.contents, false, (scalar) => {
    const quoted = scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE';
    if (!quoted || !scalar.range || scalar.range[0] > errorAt || scalar.range[1] < errorAt - 1) return;
    const [from, to] = scalar.range;
    if (text[to - 1] !== text[from] || to - from < 2) start = from;
  });
  return start;
}

/** The line of an error as the place of the character to turn into a comment; an empty one has the line above. */
function firstOffsetToLeaveOut(text: string, errorAt: number, source: SourceText): number | null {
  let lineStart = source.lineStart(Math.min(errorAt, Math.max(0, text.length - 1)));
  for (;;) {
    const line = text.slice(lineStart, source.lineEnd(lineStart));
    const content = line.search(/\S/);
    if (content >= 0 && line[content] !== '#') return lineStart + content;
    if (lineStart === 0) return null;
    lineStart = source.lineStart(lineStart - 1);
  }
}

/** What is left: one mistake a line, and of a derailed rest only the first. */
function remainingMistakes(document: Parsed, source: SourceText): YamlMistake[] {
  const mistakes: YamlMistake[] = [];
  const lines = new Set<number>();
  let derailed = false;
  for (const error of document.errors) {
    const line = source.lineIndex(error.pos[0]);
    const isRest = error.message.includes('in YAML stream');
    if (lines.has(line) || (isRest && derailed)) continue;
    lines.add(line);
    derailed ||= isRest;
    mistakes.push(mistakeOf(error));
  }
  return mistakes;
}

function mistakeOf(error: YAMLError): YamlMistake {
  const [start, end] = error.pos;
  const message = error.message.replace(/^[A-Z]/, (letter) => letter.toLowerCase());
  return { start, end: Math.max(end, start + 1), message, hint: HINTS[error.code] ?? null };
}

const HINTS: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  TAB_AS_INDENT: 'spaces',
  BAD_INDENT: 'the indentation of the lines around it',
  BLOCK_AS_IMPLICIT_KEY: 'the indentation of the lines around it, or a value in quotes',
  MULTILINE_IMPLICIT_KEY: 'a `:` after the name, on the same line',
  MISSING_CHAR: 'a `:`, a comma, a bracket or a quote that closes what was opened',
  BAD_SCALAR_START: 'the value in quotes',
  MULTIPLE_DOCS: 'one document: no `---` inside the file',
};

type ScalarVisitor = (scalar: Scalar, inFlow: boolean) => void;

/** Every key and value that is a scalar, in order. Without recursion: nesting is the file's choice. */
function visitScalars(root: unknown, inFlow: boolean, visit: ScalarVisitor): void {
  const pending: { readonly node: unknown; readonly inFlow: boolean }[] = [{ node: root, inFlow }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node } = next;
    if (isPair(node)) {
      pending.push({ node: node.value, inFlow: next.inFlow }, { node: node.key, inFlow: next.inFlow });
    } else if (isMap(node) || isSeq(node)) {
      const flow = node.flow === true;
      for (let i = node.items.length - 1; i >= 0; i--) pending.push({ node: node.items[i], inFlow: flow });
    } else if (isScalar(node) && !isAlias(node)) {
      visit(node, next.inFlow);
    }
  }
}
