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
  /** A variable of it is missing: it has its problem, and what it would say is unknown. */
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
    let hidden = words;
    for (const { value, spelling } of this.#substitutions) {
      if (value === '') continue;
      const short = value.length < 4;
      const pattern = value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      const before = short && /^\w/.test(value) ? '(?<!\\w)' : '';
      const after = short && /\w$/.test(value) ? '(?!\\w)' : '';
      hidden = hidden.replace(new RegExp(`${before}${pattern}${after}`, 'gi'), () => spelling);
    }
    return hidden;
  }

  /** Text that no file holds: made by the API. */
  static of(text: string): PlacedText {
    return new PlacedText(text, { start: 0, end: 0 });
  }
}
