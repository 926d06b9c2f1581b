/**
 * Text counted in Unicode code points, while JavaScript counts UTF-16 units. Text without surrogates, the usual case,
 * is handled without splitting it.
 */
const SURROGATES = /[\ud800-\udfff]/;

export function codePointLength(text: string): number {
  if (!SURROGATES.test(text)) return text.length;
  let length = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    if (isPair(text, i)) {
      length--;
      i++;
    }
  }
  return length;
}

function isPair(text: string, index: number): boolean {
  const high = text.charCodeAt(index);
  const low = text.charCodeAt(index + 1);
  return high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000;
}

/** The index in UTF-16 units of the code point at `count`; the length of the text where there are fewer. */
export function unitIndex(text: string, count: number): number {
  if (count >= text.length) return text.length;
  if (!SURROGATES.test(text)) return Math.max(0, count);
  let units = 0;
  for (let points = 0; points < count && units < text.length; points++) units += isPair(text, units) ? 2 : 1;
  return units;
}

/** Code points [from, to), clipped to the text. */
export function sliceCodePoints(text: string, from: number, to: number): string {
  const start = Math.max(0, from);
  if (to <= start) return '';
  const startUnit = unitIndex(text, start);
  const rest = text.slice(startUnit);
  return rest.slice(0, unitIndex(rest, to - start));
}

export function codePoints(text: string): string[] {
  return Array.from(text);
}
