/** Functions with regular expressions (registry/regex.ts). */
import { regexCompiler } from './regex.ts';
import { checkTextLength } from './text-limits.ts';
import { boundOverload, functionRow } from './overload.ts';
import type { ConstantProblem, Constants, FunctionRow, Overload } from './overload.ts';
import type { Value } from '../../core/index.ts';

/** A literal pattern that is none is found before anything runs. */
function checkPattern(constants: Constants): ConstantProblem | null {
  const pattern = constants[1];
  if (typeof pattern !== 'string') return null;
  try {
    regexCompiler('the pattern', 'u')(pattern);
    return null;
  } catch (error) {
    return { index: 1, message: error instanceof Error ? error.message.replace(/^: /, '') : String(error) };
  }
}

const BOOLEAN = { returns: 'boolean', canFail: true } as const;
const NULLABLE = { returns: 'string', nullable: true, canFail: true } as const;

function matcher(name: string, functionName: string, flags: string, wanted: boolean): Overload {
  return boundOverload(name, 'string, string', BOOLEAN, () => {
    const compile = regexCompiler(functionName, flags);
    return (text: string, pattern: string) => compile(pattern).test(text) === wanted;
  });
}

function matchRow(
  sign: string,
  name: string,
  doc: string,
  example: string,
  flags: string,
  wanted: boolean,
): FunctionRow {
  return functionRow(
    sign,
    {
      category: 'string',
      syntax: `text ${sign} pattern`,
      doc,
      examples: { [example]: 'true' },
      checkConstants: checkPattern,
    },
    [matcher(name, sign, flags, wanted)],
  );
}

/** A group of the first match, 0 for the whole; NULL where nothing matches or there is no such group. */
function extract(compile: (pattern: string) => RegExp, text: string, pattern: string, group: number): Value {
  if (group < 0) return null;
  return compile(pattern).exec(text)?.[group] ?? null;
}

const extractRow = functionRow(
  'REGEXP_EXTRACT',
  {
    category: 'string',
    doc:
      'What the first match of a regular expression found: the whole, or a group by its number. NULL where ' +
      'nothing matches.',
    examples: { "REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2)": '"bar"' },
    checkConstants: checkPattern,
  },
  [
    boundOverload('REGEXP_EXTRACT', 'string, string', NULLABLE, () => {
      const compile = regexCompiler('REGEXP_EXTRACT', 'u');
      return (text: string, pattern: string) => extract(compile, text, pattern, 0);
    }),
    boundOverload('REGEXP_EXTRACT', 'string, string, int', NULLABLE, () => {
      const compile = regexCompiler('REGEXP_EXTRACT', 'u');
      return (text: string, pattern: string, group: number) => extract(compile, text, pattern, group);
    }),
  ],
);

/** `$1` in a replacement is a group, as in Java; `$$` and `\$` are a dollar sign. */
function replacementParts(replacement: string): readonly (string | number)[] {
  const parts: (string | number)[] = [];
  for (const [piece, group] of replacement.matchAll(/\$(\d)|\\[\s\S]|\$\$|[^$\\]+|[$\\]/g)) {
    if (group !== undefined) parts.push(Number(group));
    else parts.push(piece.length === 2 && (piece === '$$' || piece.startsWith('\\')) ? piece.slice(1) : piece);
  }
  return parts;
}

const replaceRow = functionRow(
  'REGEXP_REPLACE',
  {
    category: 'string',
    doc: 'The text with every match of a regular expression replaced; $1 in the replacement is the first group.',
    examples: { "REGEXP_REPLACE('foobar', 'oo|ar', '')": '"fb"', "REGEXP_REPLACE('ab', '(a)(b)', '$2$1')": '"ba"' },
    checkConstants: checkPattern,
  },
  [
    boundOverload('REGEXP_REPLACE', 'string, string, string', { returns: 'string', canFail: true }, () => {
      const compile = regexCompiler('REGEXP_REPLACE', 'gu');
      let lastReplacement: string | null = null;
      let parts: readonly (string | number)[] = [];
      return (text: string, pattern: string, replacement: string) => {
        if (replacement !== lastReplacement) {
          parts = replacementParts(replacement);
          lastReplacement = replacement;
        }
        const result = text.replace(compile(pattern), (...groups: unknown[]) =>
          parts.map((part) => (typeof part === 'string' ? part : groupText(groups, part))).join(''),
        );
        checkTextLength(result.length, 'REGEXP_REPLACE');
        return result;
      };
    }),
  ],
);

/** A group that took no part is empty; one that does not exist, too. */
function groupText(groups: readonly unknown[], index: number): string {
  const offset = groups.findIndex((group) => typeof group === 'number');
  const group = index < offset ? groups[index] : undefined;
  return typeof group === 'string' ? group : '';
}

const countRow = functionRow(
  'REGEXP_COUNT',
  {
    category: 'string',
    doc: 'How often a regular expression matches, without overlaps.',
    examples: { "REGEXP_COUNT('a1b22', '[0-9]+')": '2' },
    checkConstants: checkPattern,
  },
  [
    boundOverload('REGEXP_COUNT', 'string, string', { returns: 'int', canFail: true }, () => {
      const compile = regexCompiler('REGEXP_COUNT', 'gu');
      return (text: string, pattern: string) => [...text.matchAll(compile(pattern))].length;
    }),
  ],
);

export const regexFunctions: readonly FunctionRow[] = [
  functionRow(
    'REGEXP_LIKE',
    {
      category: 'string',
      doc: "Whether a regular expression (ECMAScript's, with flag u) matches somewhere in the text.",
      examples: { "REGEXP_LIKE('abc123', '[0-9]+$')": 'true' },
      checkConstants: checkPattern,
    },
    [matcher('REGEXP_LIKE', 'REGEXP_LIKE', 'u', true)],
  ),
  matchRow('~', 'regexp_match', 'As REGEXP_LIKE.', "'abc' ~ '^a'", 'u', true),
  matchRow('~*', 'regexp_imatch', 'As REGEXP_LIKE, upper and lower case the same.', "'ABC' ~* '^a'", 'iu', true),
  matchRow('!~', 'regexp_not_match', 'Not REGEXP_LIKE.', "'abc' !~ '^b'", 'u', false),
  matchRow(
    '!~*',
    'regexp_not_imatch',
    'Not REGEXP_LIKE, upper and lower case the same.',
    "'ABC' !~* '^b'",
    'iu',
    false,
  ),
  extractRow,
  replaceRow,
  countRow,
];
