/** Calls of functions and operators: special forms first, then the registry. */
import { formatType, nearestName, sameType, types } from '../../core/index.ts';
import { canCast } from '../cast/cast.ts';
import { call, cast, literal, nullLiteral } from '../ir/build.ts';
import { literalValue } from '../ir/literal.ts';
import { isOrdered } from '../registry/compare-values.ts';
import { findFunction, functionRows } from '../registry/registry.ts';
import { isNumeric } from '../types/common-type.ts';
import { AGGREGATES } from './aggregate-names.ts';
import { CLOCKS, clockMessage } from './clocks.ts';
import { checkIntervalArithmetic } from './interval-arithmetic.ts';
import { alignScales, formatSignature, resolveOverload, takesCount } from './resolve.ts';
import { convert, describeTyped, typed } from './typed.ts';
import type { Ast, AstCall } from '../parse/ast.ts';
import type { FunctionRow, Overload } from '../registry/overload.ts';
import type { Checker } from './checker.ts';
import type { Typed } from './typed.ts';
import type { DataType, Expression } from '../../core/index.ts';

type SpecialForm = (checker: Checker, ast: AstCall, args: readonly Typed[]) => Typed | null;

const COMPARISONS = ['=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM', 'IN'];
const NEEDS_ORDER = ['GREATEST', 'LEAST'];
const TEXT_JOINS = ['||', 'CONCAT', 'CONCAT_WS'];

/** `known` are the arguments where they have been checked already. */
export function checkCall(checker: Checker, ast: AstCall, known?: readonly Typed[]): Typed | null {
  const name = ast.name === '!=' ? '<>' : ast.name;
  if (AGGREGATES.has(name)) {
    const message = `${name} is an aggregate: it stands alone in the \`aggregate\` of a step, not inside an expression`;
    return checker.problem(ast.nameSpan, message);
  }
  if (CLOCKS.includes(name)) return checker.problem(ast.nameSpan, clockMessage(name));
  if (ast.star) return checker.problem(ast.nameSpan, '`*` stands only in COUNT(*)');
  if (ast.distinct || ast.filter !== null) {
    return checker.problem(ast.nameSpan, 'DISTINCT and FILTER belong to aggregates only');
  }
  if (known === undefined && (name === '+' || name === '-')) {
    const sum = checkIntervalArithmetic(checker, ast);
    if (sum !== undefined) return sum;
  }
  const special = Object.hasOwn(SPECIAL_FORMS, name) ? SPECIAL_FORMS[name] : undefined;
  const row = findFunction(name);
  if (special === undefined && row === undefined) {
    // The arguments are judged too, so that their problems are not found one by one.
    checker.checkAll(ast.args);
    return unknownFunction(checker, ast);
  }
  const asts = row?.unitArgument === null || row === undefined ? ast.args : withUnit(row, ast.args);
  const args = known ?? checker.checkAll(asts);
  if (args === null) return null;
  if (special !== undefined) return special(checker, ast, args);
  return row === undefined ? null : checkRow(checker, row, ast, args);
}

/** A bare word where a unit of time is expected is that word. */
function withUnit(row: FunctionRow, args: readonly Ast[]): readonly Ast[] {
  return args.map((arg, index) => {
    if (index !== row.unitArgument?.index || arg.kind !== 'name' || arg.parts.length !== 1) return arg;
    const text = arg.parts[0]?.text ?? '';
    return row.unitArgument.units.includes(unitName(text)) ? { kind: 'string', text, span: arg.span } : arg;
  });
}

function unitName(text: string): string {
  const upper = text.toUpperCase();
  return upper.startsWith('SQL_TSI_') ? upper.slice('SQL_TSI_'.length) : upper;
}

function checkRow(checker: Checker, row: FunctionRow, ast: AstCall, given: readonly Typed[]): Typed | null {
  const units = checkUnit(checker, row, given);
  if (units === null) return null;
  const args = TEXT_JOINS.includes(row.name) ? asTexts(units) : units;
  const resolution = resolveOverload(row, args);
  if (resolution === null) return noOverload(checker, row, ast, args);
  const { overload } = resolution;
  const unordered = resolution.targets.find((type) => !isOrdered(type));
  if (NEEDS_ORDER.includes(row.name) && unordered !== undefined) {
    return checker.problem(ast.span, `${row.name} does not take ${formatType(unordered)}: it has no order`);
  }
  const targets = COMPARISONS.includes(row.name) ? alignScales(resolution.targets) : resolution.targets;
  const converted = convertTo(checker, args, targets);
  if (converted === null) return null;
  const constants = converted.map((arg) => (arg.kind === 'literal' ? literalValue(arg) : undefined));
  const wrong = row.checkConstants?.(constants) ?? null;
  if (wrong !== null) return checker.problem(args[wrong.index]?.span ?? ast.span, wrong.message);
  return typed(
    call(
      overload.id,
      converted,
      overload.returns(
        converted.map((arg) => arg.type),
        constants,
      ),
    ),
    ast.span,
  );
}

function convertTo(
  checker: Checker,
  args: readonly Typed[],
  targets: readonly DataType[],
): readonly Expression[] | null {
  const converted = args.map((arg, index) => {
    const target = targets[index] ?? arg.expression.type;
    return convert(arg, target) ?? checker.notATime(arg, target);
  });
  const known = converted.filter((arg) => arg !== null);
  return known.length === converted.length ? known : null;
}

/** The unit in upper case, if it is one that the function knows. */
function checkUnit(checker: Checker, row: FunctionRow, args: readonly Typed[]): readonly Typed[] | null {
  const { unitArgument } = row;
  const arg = unitArgument === null ? undefined : args[unitArgument.index];
  if (unitArgument === null || arg === undefined) return args;
  const { expression } = arg;
  const known = `one of ${unitArgument.units.join(', ')}`;
  if (expression.kind !== 'literal' || typeof expression.value !== 'string') {
    return checker.problem(arg.span, `${row.name} needs a unit of time written out: ${known}`);
  }
  const unit = unitName(expression.value);
  if (unitArgument.units.includes(unit)) {
    return args.map((one) => (one === arg ? { ...arg, expression: literal(unit, types.string) } : one));
  }
  const nearest = nearestName(unit, unitArgument.units);
  const hint = nearest === null ? known : `did you mean ${nearest}?`;
  return checker.problem(arg.span, `${row.name} knows no unit \`${expression.value}\`; ${hint}`, nearest);
}

/** Where one operand is text, the others become text. */
function asTexts(args: readonly Typed[]): readonly Typed[] {
  if (!args.some((arg) => arg.expression.type.kind === 'string' && arg.literal !== 'null')) return args;
  return args.map((arg) => {
    const { type } = arg.expression;
    const isScalar = !['string', 'bytes', 'array', 'map', 'row', 'json'].includes(type.kind);
    if (arg.literal === 'null' || !isScalar) return arg;
    return { expression: cast(arg.expression, types.string), literal: null, span: arg.span };
  });
}

function noOverload(checker: Checker, row: FunctionRow, ast: AstCall, args: readonly Typed[]): null {
  const found = args.map(describeTyped);
  if (COMPARISONS.includes(row.name)) {
    return checker.problem(ast.span, cannotCompare(row, args));
  }
  const isOperator = row.syntax !== null && !/^[A-Z]\w*\(/.test(row.syntax);
  const signatures = row.overloads.map((overload) => formatSignature(row, overload));
  const shown = [...new Set(signatures)].slice(0, 8).join('; ');
  if (!isOperator && !row.overloads.some((overload) => takesCount(overload, args.length))) {
    const count = args.length === 1 ? '1 argument' : `${args.length} arguments`;
    return checker.problem(ast.nameSpan, `${row.name} does not take ${count}; it is ${shown}`);
  }
  const wrong = wrongArgument(row.overloads, args);
  const what = isOperator
    ? `\`${row.name}\` does not take ${found.join(' and ')}`
    : `${row.name} does not take (${found.join(', ')})`;
  return checker.problem(wrong?.span ?? ast.span, `${what}; it is ${shown}${operatorHint(row, args)}`);
}

/** The one argument that no overload takes whatever the others are, if there is one. */
function wrongArgument(overloads: readonly Overload[], args: readonly Typed[]): Typed | null {
  const candidates = overloads.filter((overload) => takesCount(overload, args.length));
  const wrong = args.filter((arg, index) =>
    candidates.every((overload) => {
      const others = args.map((one, at) => (at === index ? one : { ...one, literal: 'null' as const }));
      return resolveOverload({ ...EMPTY_ROW, overloads: [overload] }, others) === null && arg.literal !== 'null';
    }),
  );
  return wrong.length === 1 ? (wrong[0] ?? null) : null;
}

const EMPTY_ROW: FunctionRow = {
  name: '',
  category: 'math',
  syntax: null,
  doc: '',
  examples: [],
  aliases: [],
  deterministic: true,
  unitArgument: null,
  checkConstants: null,
  overloads: [],
};

function operatorHint(row: FunctionRow, args: readonly Typed[]): string {
  const kinds = args.map((arg) => arg.expression.type.kind);
  if (row.name === '+' && kinds.includes('string')) return '; texts are joined with ||';
  if (row.name === '-' && kinds.every((kind) => kind === 'timestamp' || kind === 'date')) {
    return '; the time between two is TIMESTAMPDIFF(SECOND, from, to)';
  }
  if (kinds.includes('string') && row.category === 'arithmetic') return '; CAST(… AS double) makes a number of text';
  if (kinds.includes('json')) return '; take a value out of the JSON first, with CAST, ->> or JSON_VALUE';
  return '';
}

function cannotCompare(row: FunctionRow, args: readonly Typed[]): string {
  const [first] = args;
  const other =
    args.slice(1).find((arg) => first !== undefined && resolveOverload(row, [first, arg]) === null) ?? args[1];
  if (first === undefined || other === undefined) return 'there is nothing to compare';
  const pair = [first, other];
  const [a, b] = [first.expression.type, other.expression.type];
  const shown = `${describeTyped(first)} cannot be compared with ${describeTyped(other)}`;
  if (pair.some((arg) => arg.expression.type.kind === 'json')) {
    return `${shown}; take a value out of the JSON first, with CAST, ->> or JSON_VALUE`;
  }
  if (sameType(a, b)) return `values of type ${formatType(a)} cannot be compared with ${row.name}`;
  const textLiteral = pair.find((arg) => arg.literal === 'string');
  if (textLiteral !== undefined && (isNumeric(a) || isNumeric(b))) {
    return `${shown}; write the number without quotes`;
  }
  const target = isNumeric(a) ? a : b;
  const source = target === a ? b : a;
  return canCast(source, target) ? `${shown}; CAST(… AS ${formatType(target)}) converts the other` : shown;
}

/** Names of other systems, and what they are here. */
const FOREIGN_NAMES: Readonly<Record<string, string>> = {
  SPLIT_PART: 'SPLIT_INDEX(text, separator, index), whose index begins at 0',
  STRPOS: 'POSITION(part IN text)',
  CHARINDEX: 'POSITION(part IN text)',
  LEN: 'LENGTH(text)',
  NVL: 'COALESCE(a, b)',
  ISNULL: 'x IS NULL, or COALESCE(a, b)',
  DATEDIFF: 'TIMESTAMPDIFF(DAY, from, to)',
  DATEADD: 'TIMESTAMPADD(DAY, n, time)',
  DATE_ADD: 'TIMESTAMPADD(DAY, n, time)',
  DATE_DIFF: 'TIMESTAMPDIFF(DAY, from, to)',
  TO_CHAR: 'DATE_FORMAT(time, format) or CAST(x AS string)',
  STRFTIME: 'DATE_FORMAT(time, format)',
  ARRAY_LENGTH: 'CARDINALITY(array)',
  ARRAY_SIZE: 'CARDINALITY(array)',
  SIZE: 'CARDINALITY(array)',
  EXISTS: 'ARRAY_CONTAINS(array, x)',
  ANY: 'ARRAY_CONTAINS(array, x)',
  DECODE: 'CAST(bytes AS string) or CASE',
  REGEXP: 'REGEXP_LIKE(text, pattern)',
  RLIKE: 'REGEXP_LIKE(text, pattern)',
  TOSTRING: 'CAST(x AS string)',
  STRING: 'CAST(x AS string)',
  INT: 'CAST(x AS int)',
  JSON_EXTRACT: 'JSON_VALUE(json, path) or JSON_QUERY(json, path)',
  JSON_EXTRACT_SCALAR: 'JSON_VALUE(json, path)',
  GET_JSON_OBJECT: 'JSON_VALUE(json, path)',
  ROW_NUMBER: 'a `topN` step',
};

function unknownFunction(checker: Checker, ast: AstCall): null {
  const foreign = Object.hasOwn(FOREIGN_NAMES, ast.name) ? FOREIGN_NAMES[ast.name] : undefined;
  const what = `there is no function ${ast.written}`;
  if (foreign !== undefined) return checker.problem(ast.nameSpan, `${what}; use ${foreign}`);
  const nearest = nearestName(ast.name, callableNames());
  if (nearest === null) return checker.problem(ast.nameSpan, `${what}; \`millrace list functions\` shows all`);
  const row = findFunction(nearest);
  const signature = row?.overloads[0] === undefined ? nearest : formatSignature(row, row.overloads[0]);
  return checker.problem(ast.nameSpan, `${what}; did you mean ${signature}?`, nearest);
}

function callableNames(): readonly string[] {
  const callable = functionRows.filter((row) => row.overloads.length > 0);
  const names = callable.flatMap((row) => [row.name, ...row.aliases]).filter((name) => /^[A-Z]\w*$/.test(name));
  return [...names, ...Object.keys(SPECIAL_FORMS), ...AGGREGATES.keys()].filter((name) => name !== 'IN');
}

const coalesce: SpecialForm = (checker, ast, args) => {
  if (args.length < 1) return checker.problem(ast.nameSpan, `${ast.name} needs at least one argument`);
  const type = checker.common(args, `the arguments of ${ast.name}`, ast.span);
  const converted = type === null ? null : checker.convertAll(args, type);
  const [only] = converted ?? [];
  if (type === null || converted === null || only === undefined) return null;
  if (converted.length === 1) return typed(only, ast.span);
  return typed({ kind: 'coalesce', args: converted, type }, ast.span);
};

const ifNull: SpecialForm = (checker, ast, args) => {
  if (args.length === 2) return coalesce(checker, ast, args);
  return checker.problem(ast.nameSpan, `IFNULL takes 2 arguments, not ${args.length}`);
};

/** NULL where a = b, else a. */
const nullIf: SpecialForm = (checker, ast, args) => {
  const [a, b] = args;
  if (a === undefined || b === undefined || args.length !== 2) {
    return checker.problem(ast.nameSpan, `NULLIF takes 2 arguments, not ${args.length}`);
  }
  if (a.literal === 'null') return checker.problem(a.span, 'the type of NULL is not known here');
  const equal = checker.compare(a, b);
  if (equal === null) return null;
  const { type } = a.expression;
  const branches = [{ when: equal, then: nullLiteral(type) }];
  return typed({ kind: 'case', branches, otherwise: a.expression, type }, ast.span);
};

const ifElse: SpecialForm = (checker, ast, args) => {
  const [condition, then, otherwise] = args;
  if (condition === undefined || then === undefined || otherwise === undefined || args.length !== 3) {
    return checker.problem(ast.nameSpan, `IF takes a condition and 2 results, not ${args.length} arguments`);
  }
  const when = checker.converted(condition, types.boolean, 'the condition of IF');
  const type = checker.common([then, otherwise], 'the results of IF', ast.span);
  const converted = type === null ? null : checker.convertAll([then, otherwise], type);
  if (when === null || type === null || converted === null) return null;
  const [yes, no] = converted as readonly [Expression, Expression];
  return typed({ kind: 'case', branches: [{ when, then: yes }], otherwise: no, type }, ast.span);
};

const array: SpecialForm = (checker, ast, args) => {
  if (args.length === 0) return checker.problem(ast.span, 'the type of an empty array is not known here');
  const element = checker.common(args, 'the elements of an array', ast.span);
  const converted = element === null ? null : checker.convertAll(args, element);
  if (element === null || converted === null) return null;
  return typed(call('array(T...)', converted, types.array(element)), ast.span);
};

/** MAP(key, value, key, value, …). */
const map: SpecialForm = (checker, ast, args) => {
  if (args.length === 0 || args.length % 2 === 1) {
    return checker.problem(ast.nameSpan, 'MAP needs keys and values in turn: MAP(key, value, …)');
  }
  const keys = args.filter((_, index) => index % 2 === 0);
  const values = args.filter((_, index) => index % 2 === 1);
  const key = checker.common(keys, 'the keys of a map', ast.span);
  const value = checker.common(values, 'the values of a map', ast.span);
  if (key === null || value === null) return null;
  if (['array', 'map', 'row', 'json', 'bytes'].includes(key.kind)) {
    return checker.problem(ast.span, `the keys of a map cannot be of type ${key.kind}`);
  }
  const castKeys = checker.convertAll(keys, key);
  const castValues = checker.convertAll(values, value);
  if (castKeys === null || castValues === null) return null;
  const pairs = castKeys.flatMap((one, index) => [one, castValues[index] as Expression]);
  return typed(call('map(any...)', pairs, types.map(key, value)), ast.span);
};

/** ROW(a, b): fields f0, f1 as in Flink; a CAST gives them names. */
const row: SpecialForm = (checker, ast, args) => {
  const unknown = args.find((arg) => arg.literal === 'null');
  if (unknown !== undefined)
    return checker.problem(unknown.span, 'the type of NULL is not known here; write CAST(NULL AS type)');
  if (args.length === 0) return checker.problem(ast.span, 'a row needs at least one field');
  const fields = args.map((arg, index) => ({ name: `f${index}`, type: arg.expression.type }));
  return typed(
    call(
      'row(any...)',
      args.map((arg) => arg.expression),
      types.row(fields),
    ),
    ast.span,
  );
};

const SPECIAL_FORMS: Readonly<Record<string, SpecialForm>> = {
  COALESCE: coalesce,
  IFNULL: ifNull,
  NULLIF: nullIf,
  IF: ifElse,
  ARRAY: array,
  MAP: map,
  ROW: row,
};
