import { describe, expect, it } from '@jest/globals';

import { textTable } from './text-table.ts';

describe('textTable', () => {
  it('aligns columns and leaves no blanks behind', () => {
    const rows = [
      ['step', 'rows', 'doc'],
      ['a', '1,000', ''],
      ['longer', '5', 'what it does'],
    ];
    expect(textTable(rows, { rightAligned: [1] })).toEqual([
      'step     rows  doc',
      'a       1,000',
      'longer      5  what it does',
    ]);
  });
});
