/** A mistake in what a user wrote. All that can be found are reported at once; none is thrown. */
export interface Problem {
  /** Where it begins, in UTF-16 units of the text. */
  readonly offset: number;
  /** How many units it covers; at least 1 but at the end of the text. */
  readonly length: number;
  /** What is wrong, what was expected, what to do. */
  readonly message: string;
  /** The text that was probably meant in place of the covered one, or null. */
  readonly suggestion: string | null;
}

/** A part of the text in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export function problemAt(span: Span, message: string, suggestion: string | null = null): Problem {
  return { offset: span.start, length: Math.max(0, span.end - span.start), message, suggestion };
}

export function joinSpans(a: Span, b: Span): Span {
  return { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}
