/** LIKE with a literal pattern without `_`: comparisons of bytes. Other patterns are the interpreter's. */
import { code } from '../../../core/index.ts';
import { ANY_ONE, ANY_TEXT, compileLike } from '../../registry/like.ts';
import type { CallEmitter, CallSite } from '../call-site.ts';
import { operand } from '../operand.ts';
import type { Operand } from '../operand.ts';
import { bytesEqual, endsWith, indexOfBytes, startsWith } from '../runtime/bytes.ts';
import { PieceMatcher } from '../runtime/strings.ts';

const encoder = new TextEncoder();

interface Pieces {
  readonly pieces: readonly Uint8Array[];
  readonly anyFirst: boolean;
  readonly anyLast: boolean;
}

function piecesOf(pattern: string, escape: string): Pieces | null {
  let items: readonly number[];
  try {
    items = compileLike(pattern, escape, false).items;
  } catch {
    // The same error for every row: the interpreter's to throw.
    return null;
  }
  if (items.includes(ANY_ONE)) return null;
  const pieces: string[] = [];
  let piece = '';
  for (const item of items) {
    if (item !== ANY_TEXT) piece += String.fromCodePoint(item);
    else {
      if (piece !== '') pieces.push(piece);
      piece = '';
    }
  }
  if (piece !== '') pieces.push(piece);
  return {
    pieces: pieces.map((each) => encoder.encode(each)),
    anyFirst: items[0] === ANY_TEXT,
    anyLast: items.at(-1) === ANY_TEXT,
  };
}

function emitLike(site: CallSite): Operand | null {
  const { emitter, types } = site;
  const [text, pattern, escape] = site.args as readonly [Operand, Operand, Operand | undefined];
  const literal = pattern.constant?.value;
  const escapeLiteral = escape === undefined ? '' : escape.constant?.value;
  if (typeof literal !== 'string' || typeof escapeLiteral !== 'string') return null;
  // An empty escape that was written is an error.
  if (escape !== undefined && escapeLiteral === '') return null;
  const found = piecesOf(literal, escapeLiteral);
  if (found === null) return null;
  const { pieces, anyFirst, anyLast } = found;
  const { data, start, end } = emitter.slice(text);
  const { builder } = emitter;
  const result = (value: Parameters<typeof emitter.bind>[0]) =>
    operand({ type: types.result, value: emitter.bind(value) });
  if (pieces.length === 0) return result(anyFirst ? code`true` : code`${start} === ${end}`);
  if (pieces.length > 1) {
    const matcher = builder.constant(new PieceMatcher(pieces, !anyFirst, !anyLast));
    return result(code`${matcher}.matches(${data}, ${start}, ${end})`);
  }
  const piece = pieces[0] as Uint8Array;
  const parts = code`${data}, ${start}, ${end}, ${builder.constant(piece)}, 0, ${piece.length}`;
  if (anyFirst && anyLast) return result(code`${builder.constant(indexOfBytes)}(${parts}) >= 0`);
  if (anyFirst) return result(code`${builder.constant(endsWith)}(${parts})`);
  if (anyLast) return result(code`${builder.constant(startsWith)}(${parts})`);
  return result(code`${builder.constant(bytesEqual)}(${parts})`);
}

export const likeEmitters: readonly [string, CallEmitter][] = [
  ['like(string,string)', { emit: emitLike, total: false }],
  ['like(string,string,string)', { emit: emitLike, total: false }],
];
