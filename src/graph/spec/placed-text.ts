import type { TextRange } from './source-text.ts';

/** A value of a variable that became part of a text, and how the file spells it. */
export interface Substitution {
  readonly value: string;
  readonly spelling: string;
}

/**
 * The text of a YAML scalar, after folding, unescaping and interpolation, that still knows where in the file each of
 * its characters stands: an error at index 7 of an expression becomes a line and a column.
 */
export class PlacedText {
  readonly text: string;
  /** The whole scalar, quotes included. */
  readonly range: TextRange;
  readonly #starts: Int32Array | null;
  readonly #ends: Int32Array | null;
  readonly #substitutions: readonly Substitution[];
  /** It has its problem already (a variable is missing, say), and what it would be is not known. */
  readonly isIncomplete: boolean;

  /** `starts` and `ends` hold, per character, its stretch of the file; null where only the whole is known. */
  constructor(
    text: string,
    range: TextRange,
    starts: Int32Array | null = null,
    ends: Int32Array | null = null,
    substitutions: readonly Substitution[] = [],
    isIncomplete = false,
  ) {
    this.text = text;
    this.range = range;
    this.#starts = starts;
    this.#ends = ends;
    this.#substitutions = substitutions;
    this.isIncomplete = isIncomplete;
  }

  get isInterpolated(): boolean {
    return this.#substitutions.length > 0;
  }

  /** Where characters [start, end) of the text stand in the file. */
  rangeOf(start: number, end: number): TextRange {
    if (this.#starts === null || this.#ends === null) return this.range;
    const length = this.text.length;
    if (length === 0) return this.range;
    const from = Math.max(0, Math.min(start, length));
    const to = Math.max(from, Math.min(end, length));
    if (from === length) {
      const last = this.#ends[length - 1] as number;
      return { start: last, end: last };
    }
    const first = this.#starts[from] as number;
    return { start: first, end: to > from ? Math.max(first, this.#ends[to - 1] as number) : first };
  }

  /** The same words with values of variables replaced by `${NAME}`: they may be secrets, and are never echoed. */
  hideVariables(words: string): string {
    return this.#substitutions.reduce((hidden, substitution) => hide(hidden, substitution), words);
  }

  /** The first characters, at the same places. */
  upTo(end: number): PlacedText {
    const text = this.text.slice(0, end);
    return new PlacedText(text, this.range, this.#starts, this.#ends, this.#substitutions, this.isIncomplete);
  }

  /** What should stand here is not known; its problem is reported. */
  static unknown(range: TextRange): PlacedText {
    return new PlacedText('', range, null, null, [], true);
  }
}

/**
 * The value itself, what is quoted and a piece of it (a parser shows the part that it stumbled over), and its words.
 */
function hide(words: string, { value, spelling }: Substitution): string {
  if (value === '') return words;
  const folded = value.toLowerCase();
  const isPiece = (text: string): boolean => folded.includes(text.toLowerCase());
  return words
    .replace(wholePattern(value), () => spelling)
    .replace(/([`'"])([^`'"]+)\1/g, (quoted, quote: string, text: string) =>
      isPiece(text) ? quote + spelling + quote : quoted,
    )
    .replace(/\w{4,}/g, (word) => (isPiece(word) && !spelling.includes(word) ? spelling : word));
}

function wholePattern(value: string): RegExp {
  const escaped = value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  // A value of one letter would be found in every word.
  const before = value.length < 4 && /^\w/.test(value) ? '(?<!\\w)' : '';
  const after = value.length < 4 && /\w$/.test(value) ? '(?!\\w)' : '';
  return new RegExp(`${before}${escaped}${after}`, 'gi');
}
