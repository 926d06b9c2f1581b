import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_JSON_DEPTH, formatJson, parseJson } from './json-node.ts';

describe('JSON', () => {
  it('is what JSON.parse takes, and comes back', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const node = parseJson(text);
        expect(node).not.toBeNull();
        if (node !== null) expect(JSON.parse(formatJson(node))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('is nothing else, however it is damaged', () => {
    const damaged = fc
      .tuple(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', '"', '\\', '{', ']', ',', ':', '0', '-', 'e', '\n', '\u0001', 'u'),
      )
      .map(
        ([text, at, inserted]) =>
          text.slice(0, at % (text.length + 1)) + inserted + text.slice((at % (text.length + 1)) + 1),
      );
    fc.assert(
      fc.property(damaged, (text) => {
        let expected = true;
        try {
          JSON.parse(text);
        } catch {
          expected = false;
        }
        expect(parseJson(text) !== null).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps every digit', () => {
    expect(parseJson('[9007199254740993, 1.10, 1E400]')).toEqual({
      kind: 'array',
      items: ['9007199254740993', '1.10', '1E400'].map((text) => ({ kind: 'number', text })),
    });
  });

  it('takes the last of repeated names, and names that JavaScript treats specially', () => {
    const node = parseJson('{"a":1,"a":2,"__proto__":3}');
    expect(node?.kind === 'object' && [...node.members.keys()]).toEqual(['a', '__proto__']);
    expect(node === null ? '' : formatJson(node)).toBe('{"a":2,"__proto__":3}');
  });

  it('is refused when it is nested beyond the limit, without exhausting the stack', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(parseJson(nested(MAX_JSON_DEPTH))).not.toBeNull();
    expect(parseJson(nested(MAX_JSON_DEPTH + 1))).toBeNull();
    expect(parseJson(nested(1_000_000))).toBeNull();
  });

  it('reads strings of a million characters', () => {
    const text = JSON.stringify('a'.repeat(1_000_000));
    expect(parseJson(text)).toMatchObject({ kind: 'string' });
  });
});
