/**
 * Which overload a call means: the one whose parameters the arguments convert to at the least total cost; the first in
 * the registry where several cost the same.
 */
import { formatPattern } from '../registry/type-pattern.ts';
import { decimalOf } from '../types/common-type.ts';
import { commonTypeOf, conversionCost } from './typed.ts';
import type { FunctionRow, Overload } from '../registry/overload.ts';
import type { TypePattern } from '../registry/type-pattern.ts';
import type { Typed } from './typed.ts';
import type { DataType } from '../../core/index.ts';

export interface Resolution {
  readonly overload: Overload;
  /** The exact type of each parameter. */
  readonly targets: readonly DataType[];
}

export function resolveOverload(row: FunctionRow, args: readonly Typed[]): Resolution | null {
  let best: Resolution | null = null;
  let bestCost = Infinity;
  for (const overload of row.overloads) {
    if (!takesCount(overload, args.length)) continue;
    const targets = targetTypes(overload, args);
    if (targets === null) continue;
    const cost = totalCost(args, targets);
    if (cost !== null && cost < bestCost) {
      best = { overload, targets };
      bestCost = cost;
    }
  }
  return best;
}

export function takesCount(overload: Overload, count: number): boolean {
  return overload.variadic ? count >= overload.minimumArity : count === overload.params.length;
}

function totalCost(args: readonly Typed[], targets: readonly DataType[]): number | null {
  let total = 0;
  for (let index = 0; index < args.length; index++) {
    const cost = conversionCost(args[index] as Typed, targets[index] as DataType);
    if (cost === null) return null;
    total += cost;
  }
  return total;
}

function paramAt(overload: Overload, index: number): TypePattern {
  return overload.params[Math.min(index, overload.params.length - 1)] as TypePattern;
}

/** The types that the parameters stand for with these arguments, or null where they do not match. */
function targetTypes(overload: Overload, args: readonly Typed[]): readonly DataType[] | null {
  const bindings = new Map<string, Typed[]>();
  for (let index = 0; index < args.length; index++) {
    if (!collect(paramAt(overload, index), args[index] as Typed, bindings)) return null;
  }
  const bound = new Map<string, DataType>();
  for (const [name, votes] of bindings) {
    const common = commonTypeOf(votes);
    if (common === null) return null;
    bound.set(name, common);
  }
  const targets: DataType[] = [];
  for (let index = 0; index < args.length; index++) {
    const target = targetOf(paramAt(overload, index), args[index] as Typed, bound);
    if (target === null) return null;
    targets.push(target);
  }
  return targets;
}

/** Notes what stands for the variables of a pattern; false where the shape does not match. */
function collect(pattern: TypePattern, arg: Typed, bindings: Map<string, Typed[]>): boolean {
  const { type } = arg.expression;
  switch (pattern.kind) {
    case 'variable':
      bindings.set(pattern.name, [...(bindings.get(pattern.name) ?? []), arg]);
      return true;
    case 'array':
      if (arg.literal === 'null') return true;
      return type.kind === 'array' && collect(pattern.element, part(arg, type.element), bindings);
    case 'map':
      if (arg.literal === 'null') return true;
      return (
        type.kind === 'map' &&
        collect(pattern.key, part(arg, type.key), bindings) &&
        collect(pattern.value, part(arg, type.value), bindings)
      );
    default:
      return true;
  }
}

/** Elements are no literals, whatever the whole is. */
function part(arg: Typed, type: DataType): Typed {
  return { expression: { kind: 'column', index: 0, name: '', type }, literal: null, span: arg.span };
}

function targetOf(pattern: TypePattern, arg: Typed, bound: ReadonlyMap<string, DataType>): DataType | null {
  const { type } = arg.expression;
  switch (pattern.kind) {
    case 'exact':
      return pattern.type;
    case 'any':
      return arg.literal === 'null' ? null : type;
    case 'decimal':
      if (arg.literal === 'null') return { kind: 'decimal', precision: 1, scale: 0 };
      return type.kind === 'decimal' || type.kind === 'int' || type.kind === 'long' ? decimalOf(type) : null;
    case 'row':
      return type.kind === 'row' && arg.literal !== 'null' ? type : null;
    case 'variable':
      return bound.get(pattern.name) ?? null;
    case 'array': {
      const element = targetOf(pattern.element, part(arg, type.kind === 'array' ? type.element : type), bound);
      return element === null ? null : { kind: 'array', element };
    }
    case 'map': {
      const key = targetOf(pattern.key, part(arg, type.kind === 'map' ? type.key : type), bound);
      const value = targetOf(pattern.value, part(arg, type.kind === 'map' ? type.value : type), bound);
      return key === null || value === null ? null : { kind: 'map', key, value };
    }
  }
}

/** Decimals that are compared get one scale, as far as 38 digits allow, so that unscaled values can be compared. */
export function alignScales(targets: readonly DataType[]): readonly DataType[] {
  const scales = targets.flatMap((type) => (type.kind === 'decimal' ? [type.scale] : []));
  if (scales.length !== targets.length) return targets;
  const scale = Math.max(...scales);
  const aligned = targets.map((type) => {
    const { precision, scale: own } = decimalOf(type);
    return { kind: 'decimal', precision: precision + scale - own, scale } as const;
  });
  return aligned.every(({ precision }) => precision <= 38) ? aligned : targets;
}

/** `SUBSTRING(string, int)`, or `int + int` for operators. */
export function formatSignature(row: FunctionRow, overload: Overload): string {
  const params = overload.params.map(formatPattern);
  if (row.syntax !== null && params.length === 2 && /^[^A-Za-z]+$/.test(row.name)) {
    return `${params[0] ?? ''} ${row.name} ${params[1] ?? ''}`;
  }
  const name = /^[A-Z]/.test(row.name) ? row.name : overload.functionName.toUpperCase();
  return `${name}(${params.join(', ')}${overload.variadic ? ', …' : ''})`;
}

