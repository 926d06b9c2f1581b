/**
 * + - * / % and unary minus in generated code. Ints are computed in doubles, which hold every sum and, as far as the
 * range check needs, every product. Longs and decimals are generated for narrow code; wide code calls the
 * interpreter's functions, which work on the same bigints.
 */
import { code } from '../../../core/index.ts';
import type { Code, DataType } from '../../../core/index.ts';
import { failAsInterpreter } from '../call-site.ts';
import type { CallEmitter, CallSite } from '../call-site.ts';
import { operand, valueOf } from '../operand.ts';
import type { Operand } from '../operand.ts';
import { divideRoundedSafe, divideSafe, divideShifted, moduloSafe } from '../runtime/numbers.ts';
import { exact, precisionCheck, rescaleNarrow } from './narrow-decimal.ts';
import type { Bounded } from './narrow-decimal.ts';

type DecimalType = Extract<DataType, { kind: 'decimal' }>;

function arg(site: CallSite, index: number): Operand {
  return site.args[index] as Operand;
}

function bounded(of: Operand): Bounded {
  return { value: valueOf(of), bound: of.bound };
}

/** The int result of an expression that is exact wherever it is in range. */
function intResult(site: CallSite, expression: Code, bound: number): Operand {
  const { emitter, types } = site;
  if (bound <= 2 ** 31 - 1) return operand({ type: types.result, value: emitter.bind(expression), bound });
  const raw = emitter.bind(expression);
  // Truncation to 32 bits also turns -0 into 0.
  const value = emitter.bind(code`${raw} | 0`);
  emitter.line(code`if (${value} !== ${raw}) {\n${failAsInterpreter(site)}\n}`);
  return operand({ type: types.result, value, bound });
}

function zeroCheck(site: CallSite): void {
  const divisor = arg(site, 1);
  const known = divisor.constant?.value;
  if (known !== undefined && known !== null && Number(known) !== 0) return;
  site.emitter.line(code`if (${valueOf(divisor)} === 0) {\n${failAsInterpreter(site)}\n}`);
}

/** a OP b for + and -. */
function sum(sign: '+' | '-') {
  const joined = (a: Code, b: Code) => (sign === '+' ? code`${a} + ${b}` : code`${a} - ${b}`);
  return {
    int: (site: CallSite) => {
      const [a, b] = [arg(site, 0), arg(site, 1)];
      return intResult(site, joined(valueOf(a), valueOf(b)), a.bound + b.bound);
    },
    long: (site: CallSite) => {
      const [a, b] = [arg(site, 0), arg(site, 1)];
      const result = exact(site.emitter, joined(valueOf(a), valueOf(b)), a.bound + b.bound);
      return operand({ type: site.types.result, ...result });
    },
    decimal: (site: CallSite) => {
      const [typeA, typeB, result] = decimalTypes(site);
      const scale = Math.max(typeA.scale, typeB.scale);
      const a = rescaleNarrow(site.emitter, bounded(arg(site, 0)), typeA.scale, scale);
      const b = a === null ? null : rescaleNarrow(site.emitter, bounded(arg(site, 1)), typeB.scale, scale);
      if (a === null || b === null) return null;
      const total = exact(site.emitter, joined(a.value, b.value), a.bound + b.bound);
      return decimalResult(site, rescaleNarrow(site.emitter, total, scale, result.scale));
    },
    double: (site: CallSite) => doubleResult(site, joined(valueOf(arg(site, 0)), valueOf(arg(site, 1)))),
  };
}

function decimalTypes({ types }: CallSite): readonly [DecimalType, DecimalType, DecimalType] {
  return [types.args[0] as DecimalType, types.args[1] as DecimalType, types.result as DecimalType];
}

function decimalResult(site: CallSite, result: Bounded | null): Operand | null {
  if (result === null) return null;
  const type = site.types.result as DecimalType;
  site.emitter.line(precisionCheck(result, type, () => failAsInterpreter(site)));
  return operand({ type, ...result });
}

function doubleResult({ emitter, types }: CallSite, expression: Code): Operand {
  const value = types.result.kind === 'float' ? code`Math.fround(${expression})` : expression;
  return operand({ type: types.result, value: emitter.bind(value) });
}

const product = {
  int: (site: CallSite) => {
    const [a, b] = [arg(site, 0), arg(site, 1)];
    return intResult(site, code`${valueOf(a)} * ${valueOf(b)} + 0`, a.bound * b.bound);
  },
  long: (site: CallSite) => {
    const [a, b] = [arg(site, 0), arg(site, 1)];
    const result = exact(site.emitter, code`${valueOf(a)} * ${valueOf(b)} + 0`, a.bound * b.bound);
    return operand({ type: site.types.result, ...result });
  },
  decimal: (site: CallSite) => {
    const [typeA, typeB, result] = decimalTypes(site);
    const [a, b] = [arg(site, 0), arg(site, 1)];
    const whole = exact(site.emitter, code`${valueOf(a)} * ${valueOf(b)} + 0`, a.bound * b.bound);
    return decimalResult(site, rescaleNarrow(site.emitter, whole, typeA.scale + typeB.scale, result.scale));
  },
  double: (site: CallSite) => doubleResult(site, code`${valueOf(arg(site, 0))} * ${valueOf(arg(site, 1))}`),
};

const quotient = {
  int: (site: CallSite) => {
    zeroCheck(site);
    const [a, b] = [arg(site, 0), arg(site, 1)];
    const divide = site.emitter.builder.constant(divideSafe);
    const result = code`${divide}(${valueOf(a)}, ${valueOf(b)})`;
    // Only MIN_INT / -1 leaves the range.
    if (b.constant === null || b.constant.value === -1) return intResult(site, result, 2 ** 31);
    return operand({ type: site.types.result, value: site.emitter.bind(result), bound: a.bound });
  },
  long: (site: CallSite) => {
    zeroCheck(site);
    const divide = site.emitter.builder.constant(divideSafe);
    const value = site.emitter.bind(code`${divide}(${valueOf(arg(site, 0))}, ${valueOf(arg(site, 1))})`);
    return operand({ type: site.types.result, value, bound: arg(site, 0).bound });
  },
  decimal: (site: CallSite) => {
    const [typeA, typeB, result] = decimalTypes(site);
    const shift = result.scale + typeB.scale - typeA.scale;
    if (shift < 0 || shift > 30) return null;
    zeroCheck(site);
    const { emitter } = site;
    const [a, b] = [arg(site, 0), arg(site, 1)];
    const size = a.bound * 10 ** shift;
    if (size <= Number.MAX_SAFE_INTEGER) {
      const divide = emitter.builder.constant(divideRoundedSafe);
      const value = emitter.bind(code`${divide}(${valueOf(a)} * ${10 ** shift}, ${valueOf(b)})`);
      return decimalResult(site, { value, bound: size });
    }
    const divide = emitter.builder.constant(divideShifted);
    const value = emitter.bind(code`${divide}(${valueOf(a)}, ${shift}, ${valueOf(b)})`);
    emitter.checkSafe(value);
    return decimalResult(site, { value, bound: Number.MAX_SAFE_INTEGER });
  },
  double: (site: CallSite) => doubleResult(site, code`${valueOf(arg(site, 0))} / ${valueOf(arg(site, 1))}`),
};

const remainder = {
  int: (site: CallSite) => {
    zeroCheck(site);
    const [a, b] = [valueOf(arg(site, 0)), valueOf(arg(site, 1))];
    return operand({ type: site.types.result, value: site.emitter.bind(code`(${a} % ${b}) | 0`) });
  },
  long: (site: CallSite) => {
    zeroCheck(site);
    const modulo = site.emitter.builder.constant(moduloSafe);
    const value = site.emitter.bind(code`${modulo}(${valueOf(arg(site, 0))}, ${valueOf(arg(site, 1))})`);
    return operand({ type: site.types.result, value });
  },
  decimal: (site: CallSite) => {
    const [typeA, typeB, result] = decimalTypes(site);
    const scale = Math.max(typeA.scale, typeB.scale);
    const { emitter } = site;
    zeroCheck(site);
    const a = rescaleNarrow(emitter, bounded(arg(site, 0)), typeA.scale, scale);
    const b = a === null ? null : rescaleNarrow(emitter, bounded(arg(site, 1)), typeB.scale, scale);
    if (a === null || b === null) return null;
    const modulo = emitter.builder.constant(moduloSafe);
    const value = emitter.bind(code`${modulo}(${a.value}, ${b.value})`);
    const bound = Math.min(a.bound, b.bound);
    return decimalResult(site, rescaleNarrow(emitter, { value, bound }, scale, result.scale));
  },
  double: (site: CallSite) => doubleResult(site, code`${valueOf(arg(site, 0))} % ${valueOf(arg(site, 1))}`),
};

const negation = {
  int: (site: CallSite) => intResult(site, code`0 - ${valueOf(arg(site, 0))}`, arg(site, 0).bound),
  long: (site: CallSite) => {
    const { emitter, types } = site;
    return operand({
      type: types.result,
      value: emitter.bind(code`0 - ${valueOf(arg(site, 0))}`),
      bound: arg(site, 0).bound,
    });
  },
  decimal: (site: CallSite) => {
    const { emitter, types } = site;
    return operand({
      type: types.result,
      value: emitter.bind(code`0 - ${valueOf(arg(site, 0))}`),
      bound: arg(site, 0).bound,
    });
  },
  double: (site: CallSite) => doubleResult(site, code`-${valueOf(arg(site, 0))}`),
};

type Operation = Record<'int' | 'long' | 'decimal' | 'double', (site: CallSite) => Operand | null>;

function rows(name: string, arity: 1 | 2, operation: Operation): [string, CallEmitter][] {
  const id = (kind: string) => `${name}(${Array<string>(arity).fill(kind).join(',')})`;
  const inNarrow = (emit: (site: CallSite) => Operand | null): CallEmitter => ({
    emit: (site) => (site.emitter.mode === 'narrow' ? emit(site) : null),
    total: false,
  });
  return [
    [id('int'), { emit: operation.int, total: false }],
    [id('long'), inNarrow(operation.long)],
    [id('decimal'), inNarrow(operation.decimal)],
    [id('float'), { emit: operation.double, total: true }],
    [id('double'), { emit: operation.double, total: true }],
  ];
}

export const arithmeticEmitters: readonly [string, CallEmitter][] = [
  ...rows('add', 2, sum('+')),
  ...rows('subtract', 2, sum('-')),
  ...rows('multiply', 2, product),
  ...rows('divide', 2, quotient),
  ...rows('modulo', 2, remainder),
  ...rows('negate', 1, negation),
];
