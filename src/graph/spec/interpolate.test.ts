import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { interpolate } from './interpolate.ts';

const variables = (name: string): string | undefined => ({ A: 'one', EMPTY: '', NESTED: '${A}' })[name];

describe('interpolate', () => {
  it.each([
    ['${A}', 'one'],
    ['x-${A}-${A}', 'x-one-one'],
    ['${NONE:-two}', 'two'],
    ['${A:-two}', 'one'],
    ['${EMPTY}', ''],
    ['${EMPTY:-two}', 'two'],
    ['${NONE:-}', ''],
    ['${NONE:-localhost:9092}', 'localhost:9092'],
    ['$${A}', '${A}'],
    ['$$${A}', '$${A}'],
    ['$A {A} $', '$A {A} $'],
    ['${NESTED}', '${A}'],
  ])('%s becomes %s', (raw, text) => {
    expect(interpolate(raw, variables)).toMatchObject({ text, problems: [] });
  });

  it('reports every variable that is missing or misspelt, with its place', () => {
    const { problems } = interpolate('a ${NONE} b ${1x} c ${A', variables);
    expect(problems).toEqual([
      { what: 'missing', given: 'NONE', start: 2, end: 9 },
      { what: 'syntax', given: '${1x}', start: 12, end: 17 },
      { what: 'syntax', given: '${A', start: 20, end: 23 },
    ]);
  });

  it('knows what came of a variable, and not of a default', () => {
    expect(interpolate('${A}${NONE:-x}', variables).substitutions).toEqual([{ value: 'one', spelling: '${A}' }]);
  });

  it('covers the raw text without gap or overlap', () => {
    const pieces = fc.constantFrom('${', '}', '$', 'A', ':-', 'x', '${A}', '$${', '${NONE:-y}');
    const texts = fc.array(pieces, { maxLength: 12 });
    fc.assert(
      fc.property(texts, (parts) => {
        const raw = parts.join('');
        const { pieces: found, text } = interpolate(raw, variables);
        expect(found.map((piece) => raw.slice(piece.start, piece.end)).join('')).toBe(raw);
        expect(found.map((piece) => piece.text).join('')).toBe(text);
        for (const piece of found) if (piece.verbatim) expect(piece.text).toBe(raw.slice(piece.start, piece.end));
      }),
    );
  });
});
