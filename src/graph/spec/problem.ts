import type { ErrorCode, ErrorFields } from '../../core/index.ts';
import { graphErrors } from '../errors.ts';
import type { JobProblemCode } from '../errors.ts';
import type { PlacedText } from './placed-text.ts';
import type { SourceText, TextRange } from './source-text.ts';

/** One mistake in a job file. Lines and columns count from one; `endColumn` is behind the last character. */
export interface JobProblem {
  readonly fileName: string;
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** What would be right here. */
  readonly expected: string | null;
  /** The name or spelling that was probably meant. */
  readonly suggestion: string | null;
}

export interface ProblemDetails {
  readonly expected?: string | null;
  readonly suggestion?: string | null;
}

/** Gathers the problems of one file, so that all are reported at once. */
export class ProblemList {
  readonly fileName: string;
  readonly source: SourceText;
  readonly #limit: number;
  readonly #problems: JobProblem[] = [];
  readonly #seen = new Set<string>();

  constructor(fileName: string, source: SourceText, limit: number) {
    this.fileName = fileName;
    this.source = source;
    this.#limit = limit;
  }

  get count(): number {
    return this.#problems.length;
  }

  add(code: JobProblemCode, range: TextRange, fields: ErrorFields, details: ProblemDetails = {}): void {
    this.addMessage(code, range, graphErrors.create(code, fields).message, details);
  }

  /** A problem whose message another room wrote. The same problem at the same place counts once. */
  addMessage(code: ErrorCode, range: TextRange, message: string, details: ProblemDetails = {}): void {
    const place = this.source.place(range);
    const identity = `${place.line}:${place.column}:${code}:${message}`;
    if (this.#seen.has(identity) || this.#problems.length >= this.#limit) return;
    this.#seen.add(identity);
    const { expected = null, suggestion = null } = details;
    const told = { message: visible(message), expected: visible(expected), suggestion: visible(suggestion) };
    this.#problems.push(Object.freeze({ fileName: this.fileName, ...place, code, ...told }));
  }

  /** As addMessage, for what was found in a text that may hold values of variables: those are not shown. */
  addAbout(text: PlacedText, code: ErrorCode, range: TextRange, message: string, details: ProblemDetails = {}): void {
    const hide = (words: string | null | undefined) => (typeof words === 'string' ? text.hideVariables(words) : null);
    this.addMessage(code, range, text.hideVariables(message), {
      expected: hide(details.expected),
      suggestion: hide(details.suggestion),
    });
  }

  /** In the order of the file. */
  sorted(): readonly JobProblem[] {
    return Object.freeze([...this.#problems].sort((a, b) => a.line - b.line || a.column - b.column));
  }
}

/** Control characters of a file do not reach the terminal that shows a problem with it. */
function visible<T extends string | null>(text: T): T {
  const escape = (char: string): string => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return (text === null ? null : text.replace(/[\0-\x1f\x7f-\x9f]/g, escape)) as T;
}

/** `job.yaml:12:5: there is no field …; expected …; did you mean …? [MR-JOB-…]` */
export function formatProblem(problem: JobProblem): string {
  const { fileName, line, column, code, message, expected, suggestion } = problem;
  const wanted = expected === null || message.includes(expected) ? '' : `; expected ${expected}`;
  const hint = suggestion === null || message.includes(suggestion) ? '' : `; did you mean \`${suggestion}\`?`;
  return `${fileName}:${line}:${column}: ${message}${wanted}${hint} [${code}]`;
}
