/**
 * Finds where each character of a YAML scalar's value stands in the file.
 *
 * Folding, indentation and chomping change only white space, so the other characters of the value are those of the
 * source, in the same order; quoted styles add `''` and backslash escapes. Walking both side by side is therefore
 * exact for whatever is not white space, and near for white space, without repeating YAML's folding rules.
 */
export type ScalarStyle = 'plain' | 'single-quoted' | 'double-quoted' | 'block';

export interface Alignment {
  /** Per character of the value: its stretch of the source. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** One character of the value as the source spells it. */
interface Unit {
  readonly text: string;
  readonly length: number;
}

/** Null where value and source do not fit each other (a parser's recovery from an error made the value). */
export function alignScalar(
  source: string,
  start: number,
  end: number,
  style: ScalarStyle,
  value: string,
): Alignment | null {
  const from = contentStart(source, start, end, style);
  const starts = new Int32Array(value.length);
  const ends = new Int32Array(value.length);
  let at = from;
  for (let i = 0; i < value.length; ) {
    const wanted = value[i] as string;
    if (isSpace(wanted)) {
      const unit = at < end ? unitAt(source, at, style) : null;
      const matches = unit !== null && isSpace(unit.text);
      starts[i] = at;
      ends[i] = matches ? at + unit.length : at;
      if (matches) at += unit.length;
      i++;
      continue;
    }
    let unit = unitAt(source, at, style);
    while (at < end && isSpace(unit.text)) {
      at += unit.length;
      unit = unitAt(source, at, style);
    }
    if (at >= end || !value.startsWith(unit.text, i)) return null;
    for (let k = 0; k < unit.text.length; k++, i++) {
      starts[i] = at;
      ends[i] = at + unit.length;
    }
    at += unit.length;
  }
  return { starts, ends };
}

function contentStart(source: string, start: number, end: number, style: ScalarStyle): number {
  if (style === 'plain') return start;
  if (style !== 'block') return start + 1;
  const lineBreak = source.indexOf('\n', start);
  return lineBreak < 0 ? end : Math.min(end, lineBreak + 1);
}

function unitAt(source: string, at: number, style: ScalarStyle): Unit {
  const char = source[at] ?? '';
  if (style === 'single-quoted' && char === "'" && source[at + 1] === "'") return { text: "'", length: 2 };
  if (style === 'double-quoted' && char === '\\') return escapeAt(source, at);
  return { text: char === '' ? ' ' : char, length: 1 };
}

/** The escapes of YAML 1.2, section 5.7, but for those that stand for themselves. */
const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
};
const HEX_LENGTHS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

function escapeAt(source: string, at: number): Unit {
  const kind = source[at + 1] ?? '';
  const digits = HEX_LENGTHS[kind];
  if (digits !== undefined) {
    const point = Number.parseInt(source.slice(at + 2, at + 2 + digits), 16);
    const valid = Number.isInteger(point) && point <= 0x10ffff;
    return { text: valid ? String.fromCodePoint(point) : '\\', length: valid ? 2 + digits : 1 };
  }
  // A backslash at the end of a line joins the next one.
  if (kind === '\r' && source[at + 2] === '\n') return { text: ' ', length: 3 };
  if (kind === '\n' || kind === '\r') return { text: ' ', length: 2 };
  return { text: ESCAPES[kind] ?? (kind === '' ? '\\' : kind), length: 2 };
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r';
}
