/**
 * SPLIT_INDEX(text, 'separator', 3) with literals: pieces that were found before are where the search for later ones
 * starts, so that several pieces of one text cost one pass over it.
 */
import { code } from '../../../core/index.ts';
import type { CallSite } from '../call-site.ts';
import { operand } from '../operand.ts';
import type { Operand, Slice } from '../operand.ts';
import { pieceEnd, pieceStart } from '../runtime/strings.ts';

const FARTHEST = 1000;

/** Null where the separator or the index is no (sensible) literal. */
export function emitSplitIndexOfLiterals(site: CallSite): Operand | null {
  const { emitter, types } = site;
  const [text, separator, index] = site.args as readonly [Operand, Operand, Operand];
  const literal = separator.constant?.value;
  const wanted = index.constant?.value;
  if (typeof literal !== 'string' || literal === '' || typeof wanted !== 'number' || wanted < 0 || wanted > FARTHEST) {
    return null;
  }
  const { data, start, end } = emitter.slice(text);
  const cut = emitter.slice(separator);
  const cutParts = code`${cut.data}, ${cut.start}, ${cut.end}`;
  const key = (piece: number) => `pieces ${data.text} ${start.text} ${end.text} ${JSON.stringify(literal)} ${piece}`;
  const { builder } = emitter;
  const result = emitter.once(key(wanted), () => {
    const known = nearestBefore(site, key, wanted);
    let first = known === null ? start : (known.operand.slice as Slice).end;
    // A piece starts behind the separator that ends the one before; -1 stands for no piece.
    const left = known === null ? wanted : wanted - known.piece;
    const next = code`${builder.constant(pieceStart)}(${data}, ${first}, ${end}, ${cutParts}, ${left})`;
    const none = known === null ? code`${start} === ${end}` : code`${first} < 0`;
    first = emitter.bind(code`${none} ? -1 : ${next}`);
    const last = emitter.bind(code`${builder.constant(pieceEnd)}(${data}, ${first}, ${end}, ${cutParts})`);
    return operand({
      type: types.result,
      isNull: emitter.bind(code`${first} < 0`),
      slice: { data, start: first, end: last },
    });
  });
  return { ...result, type: types.result };
}

function nearestBefore(
  { emitter }: CallSite,
  key: (piece: number) => string,
  wanted: number,
): { readonly piece: number; readonly operand: Operand } | null {
  for (let piece = wanted - 1; piece >= 0; piece--) {
    const found = emitter.known(key(piece));
    if (found !== undefined) return { piece, operand: found };
  }
  return null;
}
