/** One cast, and how its emitter falls back on the interpreter. */
import { code } from '../../core/index.ts';
import type { Code, DataType } from '../../core/index.ts';
import { bindCast } from '../cast/cast.ts';
import type { ExpressionEmitter } from './expression-emitter.ts';
import type { Operand } from './operand.ts';
import { missedFailure } from './runtime/missed-failure.ts';

/** One cast, its argument computed and not NULL. */
export interface CastSite {
  readonly emitter: ExpressionEmitter;
  readonly arg: Operand;
  readonly from: DataType;
  readonly to: DataType;
  /** TRY_CAST. Emitters of casts that can fail are not asked for these. */
  readonly safe: boolean;
}

/** Null where it has nothing for these types or this mode. */
export type CastEmitter = (site: CastSite) => Operand | null;

/** The interpreter's own cast. */
export function interpretedCast({ emitter, arg, from, to, safe }: CastSite): Code {
  return code`${emitter.builder.constant(bindCast(from, to, safe))}(${emitter.interpreted(arg)})`;
}

/** Ends the row with the interpreter's error for this value. */
export function failCast(site: CastSite): Code {
  const { block, result } = site.emitter.nested(() => interpretedCast(site));
  return code`${block.toCode()}\nthrow ${site.emitter.builder.constant(missedFailure)}(${result});`;
}
