/**
 * SPLIT_INDEX(text, 'separator', 3) with literals: pieces that were found before are where the search for later ones
 * starts, so that several pieces of one text cost one pass over it.
 */
import { code } from '../../../core/index.ts';
import type { Code } from '../../../core/index.ts';
import type { CallSite } from '../call-site.ts';
import type { ExpressionEmitter } from '../expression-emitter.ts';
import { operand } from '../operand.ts';
import type { Operand, Slice } from '../operand.ts';
import { pieceEnd, pieceStart } from '../runtime/strings.ts';

const FARTHEST = 1000;
const encoder = new TextEncoder();

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
  const key = (piece: number) => `pieces ${data.text} ${start.text} ${end.text} ${JSON.stringify(literal)} ${piece}`;
  const result = emitter.once(key(wanted), () => {
    const known = nearestBefore(site, key, wanted);
    const first = known === null ? start : (known.operand.slice as Slice).end;
    // A piece starts behind the separator that ends the one before; -1 stands for no piece.
    const left = known === null ? wanted : wanted - known.piece;
    const none = known === null ? code`${start} === ${end}` : code`${first} < 0`;
    const bytes = encoder.encode(literal);
    const piece =
      bytes.length === 1
        ? cutAtByte(emitter, { data, start: first, end }, bytes[0] as number, left, none)
        : cutAtBytes(emitter, { data, start: first, end }, emitter.slice(separator), left, none);
    return operand({
      type: types.result,
      isNull: emitter.bind(code`${piece.start} < 0`),
      slice: piece,
    });
  });
  return { ...result, type: types.result };
}

/** The piece behind `left` more separators of one byte, as loops in place: half of the time of calls. */
function cutAtByte(emitter: ExpressionEmitter, text: Slice, separator: number, left: number, none: Code): Slice {
  const { data, end } = text;
  const [start, last, at, count] = Array.from({ length: 4 }, () => emitter.builder.fresh()) as [Code, Code, Code, Code];
  const find =
    left === 0
      ? code`${start} = ${text.start};`
      : code`
        for (let ${at} = ${text.start}, ${count} = ${left}; ${at} < ${end};) {
          if (${data}[${at}++] === ${separator} && --${count} === 0) { ${start} = ${at}; break; }
        }`;
  emitter.line(code`
    let ${start} = -1;
    if (!(${none})) { ${find} }
    let ${last} = ${start};
    if (${start} >= 0) while (${last} < ${end} && ${data}[${last}] !== ${separator}) ${last}++;`);
  return { data, start, end: last };
}

function cutAtBytes(emitter: ExpressionEmitter, text: Slice, separator: Slice, left: number, none: Code): Slice {
  const { builder } = emitter;
  const { data, end } = text;
  const cut = code`${separator.data}, ${separator.start}, ${separator.end}`;
  const next = code`${builder.constant(pieceStart)}(${data}, ${text.start}, ${end}, ${cut}, ${left})`;
  const start = emitter.bind(code`${none} ? -1 : ${next}`);
  const last = emitter.bind(code`${builder.constant(pieceEnd)}(${data}, ${start}, ${end}, ${cut})`);
  return { data, start, end: last };
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
