/**
 * LIKE patterns: `%` is any text, `_` one code point, the escape character makes the next one plain. Matched without
 * regular expressions, in time proportional to text × pattern at worst.
 */
import { exprErrors } from '../errors.ts';

/** One code point to match, or a wildcard. */
export interface LikePattern {
  /** Code points; ANY_ONE for `_`, ANY_TEXT for `%`. */
  readonly items: readonly number[];
}

export const ANY_ONE = -1;
export const ANY_TEXT = -2;

/** `escape` is one character, or empty for none. */
export function compileLike(pattern: string, escape: string, foldCase: boolean): LikePattern {
  const characters = Array.from(foldCase ? pattern.toLowerCase() : pattern);
  const escapeCharacter = foldCase ? escape.toLowerCase() : escape;
  if (Array.from(escape).length > 1) throw badEscape(`the escape must be one character, not '${escape}'`);
  const items: number[] = [];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? '';
    if (character === escapeCharacter && escape !== '') {
      const next = characters[++index];
      if (next === undefined || (next !== '%' && next !== '_' && next !== escapeCharacter)) {
        throw badEscape(`in the pattern '${pattern}', ${escape} stands before neither %, _ nor itself`);
      }
      items.push(next.codePointAt(0) ?? 0);
    } else if (character === '%') {
      if (items.at(-1) !== ANY_TEXT) items.push(ANY_TEXT);
    } else {
      items.push(character === '_' ? ANY_ONE : (character.codePointAt(0) ?? 0));
    }
  }
  return { items };
}

function badEscape(problem: string): Error {
  return exprErrors.create('MR-EXPR-ARGUMENT', { function: 'LIKE', problem });
}

/** Goes back only to the last `%`, which is enough. */
export function matchLike(text: string, { items }: LikePattern): boolean {
  let at = 0;
  let item = 0;
  let starItem = -1;
  let starAt = 0;
  while (at < text.length) {
    const expected = items[item];
    const point = text.codePointAt(at) ?? 0;
    if (expected === ANY_TEXT) {
      starItem = item++;
      starAt = at;
    } else if (expected === ANY_ONE || expected === point) {
      item++;
      at += point > 0xffff ? 2 : 1;
    } else if (starItem >= 0) {
      item = starItem + 1;
      starAt += (text.codePointAt(starAt) ?? 0) > 0xffff ? 2 : 1;
      at = starAt;
    } else {
      return false;
    }
  }
  while (items[item] === ANY_TEXT) item++;
  return item === items.length;
}
