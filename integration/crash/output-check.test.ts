import { describe, expect, it } from '@jest/globals';

import { isClean, judge } from './output-check.ts';

describe('a comparison of multisets', () => {
  it('finds nothing where nothing is', () => {
    const verdict = judge(['a', 'b', 'a'], ['a', 'a', 'b']);
    expect(verdict).toMatchObject({ expected: 3, found: 3, lost: 0, duplicated: 0, unexpected: 0, examples: [] });
    expect(isClean(verdict)).toBe(true);
  });

  it.each([
    ['lost', ['a', 'a', 'b'], ['a', 'b'], { lost: 1 }],
    ['duplicated', ['a', 'b'], ['a', 'b', 'b', 'b'], { duplicated: 2 }],
    ['unexpected', ['a'], ['a', 'c'], { unexpected: 1 }],
  ])('finds what is %s', (sort, expected, found, counts) => {
    const verdict = judge(expected, found);
    expect(verdict).toMatchObject({ lost: 0, duplicated: 0, unexpected: 0, ...counts });
    expect(verdict.examples).toEqual([expect.stringMatching(`^${sort}`)]);
    expect(isClean(verdict)).toBe(false);
  });
});
