import type { Substitution } from './placed-text.ts';

/** What `${NAME}` stands for; undefined where it is not set. */
export type Variables = (name: string) => string | undefined;

/** A stretch of the raw text and what it became. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Whether the characters of `text` are those of the raw text, one by one. */
  readonly verbatim: boolean;
}

export interface InterpolationProblem {
  readonly what: 'missing' | 'syntax';
  /** The variable's name, or the text that is none. */
  readonly given: string;
  readonly start: number;
  readonly end: number;
}

export interface Interpolated {
  readonly text: string;
  readonly pieces: readonly Piece[];
  readonly substitutions: readonly Substitution[];
  readonly problems: readonly InterpolationProblem[];
}

const REFERENCE = /\$\$\{|\$\{/g;
const COMPLETE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/;

/**
 * Replaces `${NAME}` and `${NAME:-default}`; `$${` gives a literal `${`. As in a shell, an empty value takes the
 * default.
 */
export function interpolate(raw: string, variables: Variables): Interpolated {
  const pieces: Piece[] = [];
  const substitutions: Substitution[] = [];
  const problems: InterpolationProblem[] = [];
  let done = 0;
  const keep = (until: number) => {
    if (until > done) pieces.push({ start: done, end: until, text: raw.slice(done, until), verbatim: true });
    done = until;
  };
  const replace = (end: number, text: string) => {
    pieces.push({ start: done, end, text, verbatim: false });
    done = end;
  };
  for (const match of raw.matchAll(REFERENCE)) {
    if (match.index < done) continue;
    keep(match.index);
    if (match[0] === '$${') {
      replace(match.index + 3, '${');
      continue;
    }
    const complete = COMPLETE.exec(raw.slice(match.index));
    if (complete === null) {
      const close = raw.indexOf('}', match.index);
      const end = close < 0 ? raw.length : close + 1;
      problems.push({ what: 'syntax', given: raw.slice(match.index, end), start: match.index, end });
      keep(end);
      continue;
    }
    const end = match.index + complete[0].length;
    replace(end, valueOf(complete, match.index, variables, substitutions, problems));
  }
  keep(raw.length);
  return { text: pieces.map((piece) => piece.text).join(''), pieces, substitutions, problems };
}

function valueOf(
  reference: RegExpExecArray,
  start: number,
  variables: Variables,
  substitutions: Substitution[],
  problems: InterpolationProblem[],
): string {
  const name = reference[1] ?? '';
  const fallback = reference[2];
  const given = variables(name);
  if (given !== undefined && (given !== '' || fallback === undefined)) {
    substitutions.push({ value: given, spelling: `\${${name}}` });
    return given;
  }
  if (fallback !== undefined) return fallback;
  problems.push({ what: 'missing', given: name, start, end: start + reference[0].length });
  return '';
}
