/** = <> < <= > >=, IS [NOT] DISTINCT FROM, IN, IS [NOT] TRUE/FALSE. Strings and bytes are compared byte by byte. */
import { code } from '../../../core/index.ts';
import type { Code } from '../../../core/index.ts';
import type { CallEmitter, CallSite } from '../call-site.ts';
import type { Mode } from '../column-access.ts';
import { operand, valueOf } from '../operand.ts';
import type { Operand } from '../operand.ts';
import { ByteSet } from '../runtime/bytes.ts';
import { equalityCode, orderCode } from './equality.ts';
import type { Order } from './equality.ts';

const KINDS = ['boolean', 'int', 'long', 'decimal', 'float', 'double', 'string', 'bytes', 'date', 'time', 'timestamp'];

function booleanResult({ emitter, types }: CallSite, expression: Code | null): Operand | null {
  return expression === null ? null : operand({ type: types.result, value: emitter.bind(expression) });
}

function pair(site: CallSite): readonly [Operand, Operand] {
  return [site.args[0] as Operand, site.args[1] as Operand];
}

const equal = (site: CallSite) => booleanResult(site, equalityCode(site.emitter, ...pair(site)));

const unequal = (site: CallSite) => {
  const same = equalityCode(site.emitter, ...pair(site));
  return booleanResult(site, same === null ? null : code`!(${same})`);
};

const ordered = (order: Order) => (site: CallSite) =>
  booleanResult(site, orderCode(site.emitter, order, ...pair(site)));

/** NULL is a value equal to itself. `wanted` is the result for values that differ. */
const distinct = (wanted: boolean) => (site: CallSite) => {
  const { emitter, types } = site;
  const [a, b] = pair(site);
  const test = emitter.nested(() => {
    const same = equalityCode(emitter, { ...a, isNull: null }, { ...b, isNull: null });
    return same === null ? null : wanted ? code`!(${same})` : same;
  });
  if (test.result === null) return null;
  const value = emitter.builder.fresh();
  emitter.line(code`let ${value} = ${wanted};`);
  const compare = code`${test.block.toCode()}\n${value} = ${test.result};`;
  const nullA = a.isNull ?? code`false`;
  const nullB = b.isNull ?? code`false`;
  if (a.isNull === null && b.isNull === null) emitter.line(code`{\n${compare}\n}`);
  else {
    const differ = wanted ? code`${nullA} !== ${nullB}` : code`${nullA} === ${nullB}`;
    emitter.line(code`if (${nullA} || ${nullB}) ${value} = ${differ};\nelse {\n${compare}\n}`);
  }
  return operand({ type: types.result, value });
};

/** More literals than this are looked up in a set. */
const LINEAR_LIST = 8;

function inList(site: CallSite): Operand | null {
  return inLiterals(site) ?? inExpressions(site);
}

/** A long list of literals, none of them NULL. */
function inLiterals(site: CallSite): Operand | null {
  const { emitter, types } = site;
  const [value, ...items] = site.args as readonly [Operand, ...Operand[]];
  if (items.length <= LINEAR_LIST || items.some((item) => item.constant === null || item.constant.value === null))
    return null;
  const { kind } = value.type;
  let test: { block: { toCode(): Code }; result: Code };
  if (kind === 'string' || kind === 'bytes') {
    const members = items.map((item) => bytesOfLiteral(item));
    const set = emitter.builder.constant(new ByteSet(members));
    test = emitter.nested(() => {
      const { data, start, end } = emitter.slice({ ...value, isNull: null });
      return code`${set}.has(${data}, ${start}, ${end})`;
    });
  } else if (SET_KINDS.includes(kind)) {
    const set = emitter.builder.constant(new Set(items.flatMap(memberOf(emitter.mode))));
    test = emitter.nested(() => code`${set}.has(${valueOf(value)})`);
  } else {
    return null;
  }
  const result = emitter.builder.fresh();
  const body = code`${test.block.toCode()}\n${result} = ${test.result};`;
  emitter.line(
    code`let ${result} = false;\n${value.isNull === null ? code`` : code`if (!${value.isNull}) `}{\n${body}\n}`,
  );
  return operand({ type: types.result, isNull: value.isNull, value: result });
}

const SET_KINDS = ['int', 'long', 'float', 'double', 'date', 'time', 'timestamp'];

/** A literal as a member of a Set, which takes 0 and -0 as the same but NaN as equal to NaN. */
const memberOf =
  (mode: Mode) =>
  ({ constant }: Operand): (number | bigint)[] => {
    const value = constant?.value;
    if (typeof value === 'bigint') return [mode === 'wide' ? value : Number(value)];
    return typeof value === 'number' && !Number.isNaN(value) ? [value] : [];
  };

function bytesOfLiteral(item: Operand): Uint8Array {
  const value = item.constant?.value;
  return typeof value === 'string' ? new TextEncoder().encode(value) : (value as Uint8Array);
}

function inExpressions(site: CallSite): Operand | null {
  const { emitter, types } = site;
  const [value, ...items] = site.args as readonly [Operand, ...Operand[]];
  const label = emitter.builder.fresh();
  const found = emitter.builder.fresh();
  const isNull = emitter.builder.fresh();
  const known = { ...value, isNull: null };
  const body = emitter.nested(() => {
    if (value.isNull !== null) emitter.line(code`if (${value.isNull}) { ${isNull} = true; break ${label}; }`);
    return items.every((item) => {
      const test = emitter.nested(() => equalityCode(emitter, known, { ...item, isNull: null }));
      if (test.result === null) return false;
      const hit = code`${test.block.toCode()}
if (${test.result}) { ${found} = true; ${isNull} = false; break ${label}; }`;
      if (item.isNull === null) emitter.line(code`{\n${hit}\n}`);
      else emitter.line(code`if (${item.isNull}) ${isNull} = true;\nelse {\n${hit}\n}`);
      return true;
    });
  });
  if (!body.result) return null;
  const nullable = site.args.some((arg) => arg.isNull !== null);
  emitter.line(code`let ${found} = false, ${isNull} = false;\n${label}: {\n${body.block.toCode()}\n}`);
  return operand({ type: types.result, isNull: nullable ? isNull : null, value: found });
}

const truthTest = (test: (value: Code, isNull: Code | null) => Code) => (site: CallSite) => {
  const of = site.args[0] as Operand;
  return booleanResult(site, test(valueOf(of), of.isNull));
};

const truthTests: readonly [string, CallEmitter][] = [
  ['is_true(boolean)', { total: true, emit: truthTest((v, n) => (n === null ? v : code`!${n} && ${v}`)) }],
  ['is_false(boolean)', { total: true, emit: truthTest((v, n) => (n === null ? code`!${v}` : code`!${n} && !${v}`)) }],
  [
    'is_not_true(boolean)',
    { total: true, emit: truthTest((v, n) => (n === null ? code`!${v}` : code`${n} || !${v}`)) },
  ],
  ['is_not_false(boolean)', { total: true, emit: truthTest((v, n) => (n === null ? v : code`${n} || ${v}`)) }],
];

function rows(name: string, emit: (site: CallSite) => Operand | null): [string, CallEmitter][] {
  return KINDS.map((kind) => [`${name}(${kind},${kind})`, { emit, total: true }]);
}

export const comparisonEmitters: readonly [string, CallEmitter][] = [
  ...rows('eq', equal),
  ...rows('ne', unequal),
  ...rows('lt', ordered('lt')),
  ...rows('le', ordered('le')),
  ...rows('gt', ordered('gt')),
  ...rows('ge', ordered('ge')),
  ...rows('is_distinct_from', distinct(true)),
  ...rows('is_not_distinct_from', distinct(false)),
  ...KINDS.map((kind): [string, CallEmitter] => [`in(${kind},${kind}...)`, { emit: inList, total: false }]),
  ...truthTests,
];
