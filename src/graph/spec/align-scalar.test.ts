import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isMap, isScalar, parseDocument, stringify } from 'yaml';
import type { Scalar } from 'yaml';
import { alignScalar } from './align-scalar.ts';
import type { ScalarStyle } from './align-scalar.ts';

const STYLES: Readonly<Record<string, ScalarStyle>> = {
  PLAIN: 'plain',
  QUOTE_SINGLE: 'single-quoted',
  QUOTE_DOUBLE: 'double-quoted',
  BLOCK_LITERAL: 'block',
  BLOCK_FOLDED: 'block',
};

function scalarOf(text: string): Scalar {
  const { contents } = parseDocument(text, { keepSourceTokens: true });
  const value = isMap(contents) ? contents.items[0]?.value : null;
  if (!isScalar(value)) throw new Error(`no scalar in ${text}`);
  return value;
}

function align(text: string) {
  const scalar = scalarOf(text);
  const [start, end] = scalar.range ?? [0, 0];
  const value = String(scalar.value);
  const style = STYLES[scalar.type ?? ''] ?? 'plain';
  return { value, style, alignment: alignScalar(text, start, end, style, value) };
}

/** The text of the file that the first occurrence of `part` in the value stands at. */
function sourceOf(text: string, part: string): string {
  const { value, alignment } = align(text);
  const at = value.indexOf(part);
  return text.slice(alignment?.starts[at], alignment?.ends[at + part.length - 1]);
}

describe('alignScalar', () => {
  it.each([
    ['filter: amount > 100 AND regoin = 1\n', 'regoin'],
    ['filter: "amount > 100 AND regoin = 1"\n', 'regoin'],
    ["filter: 'a = ''x'' AND regoin'\n", 'regoin'],
    ['filter: |\n   amount > 100\n   AND regoin = 1\n', 'regoin'],
    ['filter: >-\n  amount > 100\n  AND regoin = 1\n\n  OR x\n', 'regoin'],
    ['filter: amount > 100\n  AND regoin = 1\n', 'regoin'],
    ['filter: "amount > \\u0031 \\\n    AND \\"b\\" = regoin"\n', 'regoin'],
  ])('finds a word in %j', (text, word) => {
    expect(sourceOf(text, word)).toBe(word);
  });

  it('gives an escape its whole stretch', () => {
    expect(sourceOf('a: "x \\u00e9 y"\n', 'é')).toBe('\\u00e9');
    expect(sourceOf('a: "x \\U0001F600 y"\n', '😀')).toBe('\\U0001F600');
    expect(sourceOf("a: 'it''s'\n", "'")).toBe("''");
    expect(sourceOf('a: "x\\n y"\n', '\n')).toBe('\\n');
  });

  it('says that it does not know where value and source do not fit', () => {
    expect(alignScalar('abc', 0, 3, 'plain', 'abd')).toBeNull();
    expect(alignScalar('abc', 0, 3, 'plain', 'abcd')).toBeNull();
  });

  it('aligns whatever the YAML library writes, in every style', () => {
    const signs = fc.constantFrom(' ', '\n', "'", '"', '\\', '# ', ': ');
    const words = fc.array(fc.oneof(fc.string({ maxLength: 8 }), signs), { maxLength: 12 });
    const types = fc.constantFrom(
      ...(['PLAIN', 'QUOTE_SINGLE', 'QUOTE_DOUBLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED'] as const),
    );
    const texts = fc.tuple(words, types, fc.integer({ min: 20, max: 60 }));
    fc.assert(
      fc.property(texts, ([parts, defaultStringType, lineWidth]) => {
        const text = stringify({ key: parts.join('') }, { defaultStringType, lineWidth });
        const { value, style, alignment } = align(text);
        expect(alignment).not.toBeNull();
        if (alignment === null) return;
        let last = 0;
        for (let i = 0; i < value.length; i++) {
          const start = alignment.starts[i] as number;
          const source = text.slice(start, alignment.ends[i]);
          expect(start).toBeGreaterThanOrEqual(last);
          last = start;
          if (!/\s/.test(value[i] as string) && style !== 'double-quoted') expect(source[0]).toBe(value[i]);
        }
      }),
      { numRuns: 500 },
    );
  });
});
