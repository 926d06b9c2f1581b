/** Calls of functions and operators: by the emitter of their overload, or by the interpreter's function. */
import type { CallExpression, Code, DataType } from '../../core/index.ts';
import { overloadById } from '../registry/registry.ts';
import { emitInterpreted } from './call-site.ts';
import type { CallSite } from './call-site.ts';
import { callEmitters } from './emitters/index.ts';
import type { ExpressionEmitter } from './expression-emitter.ts';
import { isBytesType } from './literal-operand.ts';
import { guarded } from './merge.ts';
import type { Operand } from './operand.ts';

export function emitCall(emitter: ExpressionEmitter, expression: CallExpression): Operand {
  const overload = overloadById(expression.overload);
  const args = expression.args.map((arg) => emitter.emit(arg));
  const types = { args: expression.args.map((arg) => arg.type), result: expression.type };
  const site: CallSite = { emitter, overload, types, args, expressions: expression.args };
  if (!overload.strict) return emitBody(site);
  const nulls = new Map(args.flatMap(({ isNull }) => (isNull === null ? [] : [[isNull.text, isNull]])));
  if (nulls.size === 0) return emitBody(site);
  const isNull = emitter.anyOf([...nulls.values()]);
  if (isTotal(site)) return { ...emitBody(site), isNull };
  return emitGuarded(site, isNull);
}

function isTotal({ emitter, overload, types }: CallSite): boolean {
  if (callEmitters.get(overload.id)?.total !== true) return false;
  return types.args.every((type) => isGarbageProof(type, emitter));
}

function isGarbageProof(type: DataType, emitter: ExpressionEmitter): boolean {
  if (type.kind === 'long' || type.kind === 'decimal') return emitter.mode === 'narrow';
  return !isBytesType(type) && type.kind !== 'array' && type.kind !== 'map' && type.kind !== 'row';
}

function emitGuarded(site: CallSite, isNull: Code): Operand {
  const { emitter, args } = site;
  const known = args.map((arg) => (arg.isNull === null ? arg : { ...arg, isNull: null }));
  const { block, result } = emitter.nested(() => emitBody({ ...site, args: known }));
  return guarded(emitter, isNull, { block, operand: result });
}

function emitBody(site: CallSite): Operand {
  return callEmitters.get(site.overload.id)?.emit(site) ?? emitInterpreted(site);
}
