/** Text. Positions count code points from 1, as in SQL; SPLIT_INDEX counts from 0, as in Flink. */
import { exprErrors } from '../errors.ts';
import { codePointLength, codePoints, sliceCodePoints, unitIndex } from './code-points.ts';
import { compileLike, matchLike } from './like.ts';
import { boundOverload, functionRow, overload } from './overload.ts';
import { checkTextLength } from './text-limits.ts';
import type { ConstantProblem, Constants, FunctionDeclaration, FunctionRow, Overload } from './overload.ts';
import type { LikePattern } from './like.ts';
import type { Value } from '../../core/index.ts';

const STRING = { returns: 'string' } as const;
const FAILING = { returns: 'string', canFail: true } as const;

function argumentError(name: string, problem: string): Error {
  return exprErrors.create('MR-EXPR-ARGUMENT', { function: name, problem });
}

/** SQL's SUBSTRING: from 1; from 0 and below counts as if there were characters before the first. */
function substring(text: string, from: number, count: number): string {
  // Flink and Hive count a negative start from the end; 0 is 1.
  const start = from > 0 ? from - 1 : from === 0 ? 0 : codePointLength(text) + from;
  if (start < 0 || count <= 0) return '';
  return sliceCodePoints(text, start, start + count);
}

/** Removes code points of `characters` from the ends. */
function trim(text: string, characters: string, atStart: boolean, atEnd: boolean): string {
  const removed = new Set(codePoints(characters));
  const points = codePoints(text);
  let start = 0;
  let end = points.length;
  if (atStart) while (start < end && removed.has(points[start] ?? '')) start++;
  if (atEnd) while (end > start && removed.has(points[end - 1] ?? '')) end--;
  return points.slice(start, end).join('');
}

function trimRow(
  name: string,
  syntax: string,
  doc: string,
  example: [string, string],
  atStart: boolean,
  atEnd: boolean,
) {
  return functionRow(
    name,
    {
      category: 'string',
      doc,
      syntax,
      examples: { [example[0]]: example[1] },
      ...(name === 'BTRIM' ? { aliases: ['TRIM'] } : {}),
    },
    [
      overload(name, 'string', STRING, (text: string) => trim(text, ' ', atStart, atEnd)),
      overload(name, 'string, string', STRING, (text: string, characters: string) =>
        trim(text, characters, atStart, atEnd),
      ),
    ],
  );
}

function pad(text: string, length: number, padding: string, name: string, atStart: boolean): Value {
  if (length < 0) return null;
  const own = codePointLength(text);
  if (own >= length) return sliceCodePoints(text, 0, length);
  if (padding === '') return null;
  checkTextLength(length, name);
  const missing = length - own;
  const points = codePoints(padding);
  let added = padding.repeat(Math.floor(missing / points.length));
  added += points.slice(0, missing % points.length).join('');
  return atStart ? added + text : text + added;
}

function padRow(name: string, doc: string, examples: Record<string, string>, atStart: boolean): FunctionRow {
  const declaration = { returns: 'string', nullable: true, canFail: true } as const;
  return functionRow(name, { category: 'string', doc, examples }, [
    overload(name, 'string, int', declaration, (text: string, length: number) => pad(text, length, ' ', name, atStart)),
    overload(name, 'string, int, string', declaration, (text: string, length: number, padding: string) =>
      pad(text, length, padding, name, atStart),
    ),
  ]);
}

function likeOverloads(name: string, foldCase: boolean): Overload[] {
  const make = (withEscape: boolean) =>
    boundOverload(
      name,
      withEscape ? 'string, string, string' : 'string, string',
      { returns: 'boolean', canFail: withEscape },
      () => {
        let lastPattern: string | null = null;
        let lastEscape = '';
        let compiled: LikePattern = { items: [] };
        return (text: string, pattern: string, escape = '') => {
          if (pattern !== lastPattern || escape !== lastEscape) {
            if (withEscape && escape === '') throw argumentError('LIKE', 'the escape must be one character, not none');
            compiled = compileLike(pattern, escape, foldCase);
            lastPattern = pattern;
            lastEscape = escape;
          }
          return matchLike(foldCase ? text.toLowerCase() : text, compiled);
        };
      },
    );
  return [make(false), make(true)];
}

function checkEscape(constants: Constants): ConstantProblem | null {
  const [, pattern, escape] = constants;
  if (typeof escape !== 'string') return null;
  if (codePointLength(escape) !== 1) return { index: 2, message: `the escape must be one character, not '${escape}'` };
  try {
    if (typeof pattern === 'string') compileLike(pattern, escape, false);
    return null;
  } catch (error) {
    return { index: 1, message: error instanceof Error ? error.message : String(error) };
  }
}

function repeat(text: string, count: number): string {
  if (count <= 0) return '';
  checkTextLength(text.length * count, 'REPEAT');
  return text.repeat(count);
}

function joined(parts: readonly string[], name: string): string {
  checkTextLength(
    parts.reduce((sum, part) => sum + part.length, 0),
    name,
  );
  return parts.join('');
}

/** Upper case for the first letter of each run of letters and digits, lower case for the others. */
function initcap(text: string): string {
  return text.toLowerCase().replace(/[\p{L}\p{N}]+/gu, (word) => {
    const [first = ''] = word;
    return first.toUpperCase() + word.slice(first.length);
  });
}

function replace(text: string, search: string, replacement: string): string {
  if (search === '') return text;
  const parts = text.split(search);
  checkTextLength(text.length + (parts.length - 1) * (replacement.length - search.length), 'REPLACE');
  return parts.join(replacement);
}

function overlay(text: string, replacement: string, from: number, count: number): string {
  const length = codePointLength(text);
  if (from < 1 || from > length) return text;
  const end = from - 1 + Math.max(0, count);
  return sliceCodePoints(text, 0, from - 1) + replacement + sliceCodePoints(text, end, length);
}

/** Position of the first occurrence from code point `from` on, in code points from 1; 0 where there is none. */
function locate(part: string, text: string, from: number): number {
  if (from < 1) return 0;
  const at = text.indexOf(part, unitIndex(text, from - 1));
  if (at === -1 || from - 1 > codePointLength(text)) return 0;
  return codePointLength(text.slice(0, at)) + 1;
}

function splitIndex(text: string, separator: string, index: number): Value {
  if (index < 0) return null;
  if (text === '') return null;
  if (separator === '') return index === 0 ? text : null;
  return text.split(separator)[index] ?? null;
}

function chr(code: number): string {
  if (code >= 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)) return String.fromCodePoint(code);
  throw argumentError('CHR', `${code} is no code point`);
}

function row(
  name: string,
  doc: string,
  examples: Record<string, string>,
  overloads: readonly Overload[],
  more: Partial<FunctionDeclaration> = {},
): FunctionRow {
  return functionRow(name, { category: 'string', doc, examples, ...more }, overloads);
}

const caseAndLength: readonly FunctionRow[] = [
  row('UPPER', "The text in upper case, by Unicode's default mapping.", { "UPPER('straße')": '"STRASSE"' }, [
    overload('UPPER', 'string', STRING, (text: string) => text.toUpperCase()),
  ]),
  row('LOWER', "The text in lower case, by Unicode's default mapping.", { "LOWER('ÀB')": '"àb"' }, [
    overload('LOWER', 'string', STRING, (text: string) => text.toLowerCase()),
  ]),
  row(
    'INITCAP',
    'The first letter of every word in upper case, the others in lower case.',
    { "INITCAP('hello wORLD')": '"Hello World"' },
    [overload('INITCAP', 'string', STRING, initcap)],
  ),
  row(
    'CHAR_LENGTH',
    'The number of code points.',
    { "CHAR_LENGTH('a😀')": '2' },
    [overload('CHAR_LENGTH', 'string', { returns: 'int' }, codePointLength)],
    { aliases: ['CHARACTER_LENGTH', 'LENGTH'] },
  ),
  row('OCTET_LENGTH', 'The number of bytes; of text, in UTF-8.', { "OCTET_LENGTH('a😀')": '5' }, [
    overload('OCTET_LENGTH', 'string', { returns: 'int' }, (text: string) => Buffer.byteLength(text)),
    overload('OCTET_LENGTH', 'bytes', { returns: 'int' }, (bytes: Uint8Array) => bytes.length),
  ]),
  row('ASCII', 'The code point of the first character; 0 for empty text.', { "ASCII('a')": '97' }, [
    overload('ASCII', 'string', { returns: 'int' }, (text: string) => text.codePointAt(0) ?? 0),
  ]),
  row('CHR', 'The character with a code point.', { 'CHR(97)': '"a"' }, [overload('CHR', 'int', FAILING, chr)]),
];

const parts: readonly FunctionRow[] = [
  row(
    'SUBSTRING',
    'The part from a position, counted from 1 (negative: from the end), with at most a length.',
    {
      "SUBSTRING('hello' FROM 2 FOR 3)": '"ell"',
      "SUBSTRING('hello', -3)": '"llo"',
    },
    [
      overload('SUBSTRING', 'string, int', STRING, (text: string, from: number) => substring(text, from, Infinity)),
      overload('SUBSTRING', 'string, int, int', STRING, substring),
    ],
    { syntax: 'SUBSTRING(text FROM start [FOR length]), SUBSTRING(text, start[, length])', aliases: ['SUBSTR'] },
  ),
  row('LEFT', 'The first n characters; empty where n is not positive.', { "LEFT('hello', 2)": '"he"' }, [
    overload('LEFT', 'string, int', STRING, (text: string, count: number) => sliceCodePoints(text, 0, count)),
  ]),
  row('RIGHT', 'The last n characters; empty where n is not positive.', { "RIGHT('hello', 2)": '"lo"' }, [
    overload('RIGHT', 'string, int', STRING, (text: string, count: number) =>
      count <= 0 ? '' : sliceCodePoints(text, codePointLength(text) - count, Infinity),
    ),
  ]),
  trimRow(
    'BTRIM',
    'TRIM([BOTH] [characters FROM] text), BTRIM(text[, characters])',
    'The text without blanks, or other characters, at both ends.',
    ["TRIM('  a ')", '"a"'],
    true,
    true,
  ),
  trimRow(
    'LTRIM',
    'TRIM(LEADING [characters FROM] text), LTRIM(text[, characters])',
    'The text without blanks, or other characters, at its start.',
    ["LTRIM('  a ')", '"a "'],
    true,
    false,
  ),
  trimRow(
    'RTRIM',
    'TRIM(TRAILING [characters FROM] text), RTRIM(text[, characters])',
    'The text without blanks, or other characters, at its end.',
    ["RTRIM('axx', 'x')", '"a"'],
    false,
    true,
  ),
  row(
    'SPLIT_INDEX',
    'The piece with an index, counted from 0, of a text cut at a separator; NULL where there is none, and of empty ' +
      'text.',
    {
      "SPLIT_INDEX('a/b/c', '/', 1)": '"b"',
    },
    [overload('SPLIT_INDEX', 'string, string, int', { returns: 'string', nullable: true }, splitIndex)],
  ),
  row(
    'SPLIT',
    'The pieces of a text cut at a separator; with an empty separator, its characters. Empty text has no pieces.',
    {
      "SPLIT('a,b', ',')": '["a", "b"]',
    },
    [
      overload('SPLIT', 'string, string', { returns: 'array<string>' }, (text: string, separator: string) =>
        text === '' ? [] : separator === '' ? codePoints(text) : text.split(separator),
      ),
    ],
  ),
];

const search: readonly FunctionRow[] = [
  row(
    'POSITION',
    'Where a part first occurs, counted from 1; 0 where it does not.',
    { "POSITION('l' IN 'hello')": '3' },
    [overload('POSITION', 'string, string', { returns: 'int' }, (part: string, text: string) => locate(part, text, 1))],
    { syntax: 'POSITION(part IN text)' },
  ),
  row(
    'LOCATE',
    'Where a part first occurs, counted from 1, from a position on; 0 where it does not.',
    { "LOCATE('l', 'hello', 4)": '4' },
    [
      overload('LOCATE', 'string, string', { returns: 'int' }, (part: string, text: string) => locate(part, text, 1)),
      overload('LOCATE', 'string, string, int', { returns: 'int' }, locate),
    ],
  ),
  row(
    'INSTR',
    'Where a part first occurs in a text, counted from 1; 0 where it does not.',
    { "INSTR('hello', 'l')": '3' },
    [overload('INSTR', 'string, string', { returns: 'int' }, (text: string, part: string) => locate(part, text, 1))],
  ),
  row(
    'STARTS_WITH',
    'Whether a text, or bytes, begin with a part.',
    { "STARTS_WITH('hello', 'he')": 'true' },
    [
      overload('STARTS_WITH', 'string, string', { returns: 'boolean' }, (text: string, part: string) =>
        text.startsWith(part),
      ),
      overload(
        'STARTS_WITH',
        'bytes, bytes',
        { returns: 'boolean' },
        (bytes: Uint8Array, part: Uint8Array) => Buffer.compare(bytes.subarray(0, part.length), part) === 0,
      ),
    ],
    { aliases: ['STARTSWITH'] },
  ),
  row(
    'ENDS_WITH',
    'Whether a text, or bytes, end with a part.',
    { "ENDS_WITH('hello', 'lo')": 'true' },
    [
      overload('ENDS_WITH', 'string, string', { returns: 'boolean' }, (text: string, part: string) =>
        text.endsWith(part),
      ),
      overload(
        'ENDS_WITH',
        'bytes, bytes',
        { returns: 'boolean' },
        (bytes: Uint8Array, part: Uint8Array) =>
          part.length <= bytes.length && Buffer.compare(bytes.subarray(bytes.length - part.length), part) === 0,
      ),
    ],
    { aliases: ['ENDSWITH'] },
  ),
  row('CONTAINS', 'Whether a part occurs in a text.', { "CONTAINS('hello', 'ell')": 'true' }, [
    overload('CONTAINS', 'string, string', { returns: 'boolean' }, (text: string, part: string) => text.includes(part)),
  ]),
  row(
    'LIKE',
    'Whether a text matches a pattern: % is any text, _ one character. Without ESCAPE no character escapes.',
    {
      "'hello' LIKE 'h%o'": 'true',
      "'50%' LIKE '50!%' ESCAPE '!'": 'true',
    },
    likeOverloads('like', false),
    { syntax: 'text [NOT] LIKE pattern [ESCAPE character]', checkConstants: checkEscape },
  ),
  row(
    'ILIKE',
    'LIKE that takes upper and lower case as the same.',
    { "'Hello' ILIKE 'hE%'": 'true' },
    likeOverloads('ilike', true),
    {
      syntax: 'text [NOT] ILIKE pattern [ESCAPE character]',
      checkConstants: checkEscape,
    },
  ),
];

const building: readonly FunctionRow[] = [
  row(
    '||',
    'The texts, or bytes, one behind the other. Where one is text, numbers, dates and booleans become text.',
    { "'a' || 1": '"a1"' },
    [
      overload('concat_op', 'string, string', FAILING, (a: string, b: string) => joined([a, b], '||')),
      overload('concat_op', 'bytes, bytes', { returns: 'bytes' }, (a: Uint8Array, b: Uint8Array) => joinBytes([a, b])),
    ],
    { syntax: 'a || b' },
  ),
  row(
    'CONCAT',
    'All texts, or bytes, one behind the other; NULL if one is NULL.',
    { "CONCAT('a', 'b', 'c')": '"abc"' },
    [
      overload('CONCAT', 'string...', FAILING, (...texts: string[]) => joined(texts, 'CONCAT')),
      overload('CONCAT', 'bytes...', { returns: 'bytes' }, (...all: Uint8Array[]) => joinBytes(all)),
    ],
  ),
  row(
    'CONCAT_WS',
    'All texts that are not NULL, with a separator between them; NULL if the separator is NULL.',
    {
      "CONCAT_WS('-', 'a', NULL, 'b')": '"a-b"',
    },
    [
      overload(
        'CONCAT_WS',
        'string, string...',
        { ...FAILING, strict: false, nullable: true },
        (separator: string | null, ...texts: (string | null)[]) =>
          separator === null ? null : joined([texts.filter((text) => text !== null).join(separator)], 'CONCAT_WS'),
      ),
    ],
  ),
  row('REPLACE', 'The text with every occurrence of a part replaced.', { "REPLACE('banana', 'an', 'A')": '"bAAa"' }, [
    overload('REPLACE', 'string, string, string', FAILING, replace),
  ]),
  row(
    'OVERLAY',
    'The text with the part from a position replaced; as long as the replacement unless FOR says otherwise.',
    {
      "OVERLAY('xxxxxtest' PLACING 'xxxx' FROM 6)": '"xxxxxxxxx"',
    },
    [
      overload('OVERLAY', 'string, string, int', STRING, (text: string, replacement: string, from: number) =>
        overlay(text, replacement, from, codePointLength(replacement)),
      ),
      overload('OVERLAY', 'string, string, int, int', STRING, overlay),
    ],
    { syntax: 'OVERLAY(text PLACING replacement FROM start [FOR length])' },
  ),
  row('REPEAT', 'The text n times; empty where n is not positive.', { "REPEAT('ab', 3)": '"ababab"' }, [
    overload('REPEAT', 'string, int', FAILING, repeat),
  ]),
  row('REVERSE', 'The code points in reverse order.', { "REVERSE('ab😀')": '"😀ba"' }, [
    overload('REVERSE', 'string', STRING, (text: string) => codePoints(text).reverse().join('')),
  ]),
  row(
    'TRANSLATE',
    'Every character that stands in the second text replaced by the one at the same place in the third, or removed.',
    {
      "TRANSLATE('hello', 'el', 'i')": '"hio"',
    },
    [overload('TRANSLATE', 'string, string, string', STRING, translate)],
  ),
  padRow(
    'LPAD',
    'The text made n characters long: filled at its start with blanks or another text, or cut. NULL where n is ' +
      'negative.',
    { "LPAD('7', 3, '0')": '"007"', "LPAD('hello', 2)": '"he"' },
    true,
  ),
  padRow(
    'RPAD',
    'The text made n characters long: filled at its end with blanks or another text, or cut. NULL where n is negative.',
    { "RPAD('a', 3, 'xy')": '"axy"' },
    false,
  ),
];

function translate(text: string, from: string, to: string): string {
  const targets = codePoints(to);
  const mapping = new Map<string, string>();
  codePoints(from).forEach((point, index) => {
    if (!mapping.has(point)) mapping.set(point, targets[index] ?? '');
  });
  return codePoints(text)
    .map((point) => mapping.get(point) ?? point)
    .join('');
}

function joinBytes(all: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(all));
}

export const stringFunctions: readonly FunctionRow[] = [...caseAndLength, ...parts, ...search, ...building];
