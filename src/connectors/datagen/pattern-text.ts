import type { Column } from '../../core/index.ts';
import type { RowRandom } from './row-random.ts';
import type { TextColumn } from './text-column.ts';

const encoder = new TextEncoder();
const LETTERS = 26;
const DIGITS = 10;

/** Writes a pattern's text: `#` becomes a digit, `?` a small letter, `*` either; `\` takes the next as it is. */
export function putPattern(text: TextColumn, pattern: string, random: RowRandom, column: Column, row: number): void {
  text.start(column, row, pattern.length * 4);
  for (let i = 0; i < pattern.length; i++) {
    const sign = pattern.charAt(i);
    if (sign === '#') text.put(0x30 + random.below(DIGITS));
    else if (sign === '?') text.put(0x61 + random.below(LETTERS));
    else if (sign === '*') {
      const drawn = random.below(LETTERS + DIGITS);
      text.put(drawn < DIGITS ? 0x30 + drawn : 0x61 + drawn - DIGITS);
    } else {
      if (sign === '\\' && i + 1 < pattern.length) i++;
      const codePoint = pattern.codePointAt(i) as number;
      if (codePoint < 0x80) text.put(codePoint);
      else text.putAll(encoder.encode(String.fromCodePoint(codePoint)));
      if (codePoint > 0xffff) i++;
    }
  }
  text.end(row);
}
