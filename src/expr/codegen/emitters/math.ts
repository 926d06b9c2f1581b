/** Functions of numbers that are one operation. The others call the interpreter's, which takes numbers as they are. */
import { code } from '../../../core/index.ts';
import type { Code } from '../../../core/index.ts';
import { failAsInterpreter } from '../call-site.ts';
import type { CallEmitter, CallSite } from '../call-site.ts';
import { operand, valueOf } from '../operand.ts';
import type { Operand } from '../operand.ts';
import { asDecimal } from '../../types/decimal-types.ts';
import { divideSafe } from '../runtime/numbers.ts';

function arg(site: CallSite): Operand {
  return site.args[0] as Operand;
}

const doubles = (compute: (x: Code) => Code): CallEmitter => ({
  total: true,
  emit: (site) => operand({ type: site.types.result, value: site.emitter.bind(compute(valueOf(arg(site)))) }),
});

/** The argument itself. */
const unchanged: CallEmitter = {
  total: true,
  emit: (site) => ({ ...arg(site), type: site.types.result, constant: null }),
};

const absoluteInt: CallEmitter = {
  total: false,
  emit: (site) => {
    const value = site.emitter.bind(code`Math.abs(${valueOf(arg(site))})`);
    site.emitter.line(code`if (${value} === ${2 ** 31}) {\n${failAsInterpreter(site)}\n}`);
    return operand({ type: site.types.result, value, bound: arg(site).bound });
  },
};

const absoluteInteger: CallEmitter = {
  total: true,
  emit: (site) => {
    if (site.emitter.mode === 'wide') return null;
    const value = site.emitter.bind(code`Math.abs(${valueOf(arg(site))})`);
    return operand({ type: site.types.result, value, bound: arg(site).bound });
  },
};

/** CEIL and FLOOR of a decimal: to scale 0. */
const wholeDecimal = (round: Code): CallEmitter => ({
  total: false,
  emit: (site) => {
    const scale = asDecimal(site.types.args[0]).scale;
    if (site.emitter.mode === 'wide' || scale > 15) return null;
    const { emitter, types } = site;
    const unit = 10 ** scale;
    const of = arg(site);
    const whole = emitter.bind(code`${emitter.builder.constant(divideSafe)}(${valueOf(of)}, ${unit})`);
    const value = emitter.bind(code`${whole} + Math.${round}((${valueOf(of)} - ${whole} * ${unit}) / ${unit}) + 0`);
    return operand({ type: types.result, value, bound: Math.ceil(of.bound / unit) });
  },
});

const length: CallEmitter = {
  total: false,
  emit: (site) => operand({ type: site.types.result, value: site.emitter.bind(code`${valueOf(arg(site))}.length`) }),
};

const ABS = (x: Code) => code`Math.abs(${x})`;
const CEIL = (x: Code) => code`Math.ceil(${x})`;
const FLOOR = (x: Code) => code`Math.floor(${x})`;
const SQRT = (x: Code) => code`Math.sqrt(${x})`;

export const mathEmitters: readonly [string, CallEmitter][] = [
  ['abs(int)', absoluteInt],
  ['abs(long)', absoluteInteger],
  ['abs(decimal)', absoluteInteger],
  ['abs(float)', doubles(ABS)],
  ['abs(double)', doubles(ABS)],
  ['ceil(int)', unchanged],
  ['ceil(long)', unchanged],
  ['ceil(float)', doubles(CEIL)],
  ['ceil(double)', doubles(CEIL)],
  ['floor(int)', unchanged],
  ['floor(long)', unchanged],
  ['floor(float)', doubles(FLOOR)],
  ['floor(double)', doubles(FLOOR)],
  ['sqrt(double)', doubles(SQRT)],
  ['ceil(decimal)', wholeDecimal(code`ceil`)],
  ['floor(decimal)', wholeDecimal(code`floor`)],
  ['cardinality(array<T>)', length],
];
