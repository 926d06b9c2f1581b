/** Casts: numbers among each other and integers to text by generated code, all else by the interpreter's function. */
import type { CastExpression } from '../../core/index.ts';
import { castCanFail } from '../cast/cast.ts';
import { fromNullable } from './call-site.ts';
import { interpretedCast } from './cast-site.ts';
import type { CastSite } from './cast-site.ts';
import { castEmitters } from './emitters/casts.ts';
import type { ExpressionEmitter } from './expression-emitter.ts';
import { guarded } from './merge.ts';
import type { Operand } from './operand.ts';

export function emitCast(emitter: ExpressionEmitter, expression: CastExpression): Operand {
  const arg = emitter.emit(expression.arg);
  const { type: to, safe } = expression;
  const site: CastSite = { emitter, arg: { ...arg, isNull: null }, from: expression.arg.type, to, safe };
  if (arg.isNull === null) return emitBody(site);
  const { block, result } = emitter.nested(() => emitBody(site));
  if (block.isEmpty) return { ...result, isNull: arg.isNull };
  return guarded(emitter, arg.isNull, { block, operand: result });
}

function emitBody(site: CastSite): Operand {
  const { emitter, from, to, safe } = site;
  const own = safe && castCanFail(from, to) ? null : castEmitters.get(`${from.kind} ${to.kind}`)?.(site);
  if (own !== null && own !== undefined) return own;
  const raw = emitter.bind(interpretedCast(site));
  return safe || from.kind === 'json' ? fromNullable(emitter, to, raw) : emitter.fromInterpreted(to, raw);
}
