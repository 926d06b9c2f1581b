/**
 * Syntax → typed expression. Problems are collected; a part that has one gives null, and whatever contains it is not
 * judged, so that one mistake is reported once.
 */
import { fieldIndex, formatType, isMillraceError, nearestName, types } from '../../core/index.ts';
import { bindCast, canCast } from '../cast/cast.ts';
import { and, call, cast, literal, not, nullLiteral, or } from '../ir/build.ts';
import { literalValue } from '../ir/literal.ts';
import { expressionSize } from '../ir/size.ts';
import { parseLong } from '../cast/number-text.ts';
import { checkCall } from './calls.ts';
import { CLOCKS, clockMessage } from './clocks.ts';
import { joinSpans, problemAt } from './problem.ts';
import { findSideField, namesOfSides } from './sides.ts';
import type { Side } from './sides.ts';
import { commonTypeOf, conversionCost, convert, describeTyped, typed } from './typed.ts';
import type { Ast, NamePart } from '../parse/ast.ts';
import type { DataType, Expression, RowSchema, TypeKind } from '../../core/index.ts';
import type { Problem, Span } from './problem.ts';
import type { Typed } from './typed.ts';

/** BETWEEN and CASE x WHEN repeat their operand; this bounds what nested ones can grow to. */
const MAX_EXPRESSION_SIZE = 50_000;

type AstOf<K extends Ast['kind']> = Extract<Ast, { kind: K }>;

export class Checker {
  readonly schema: RowSchema;
  readonly problems: Problem[] = [];
  readonly #sides: readonly Side[];

  /** `sides` where the fields of the schema come from several steps. */
  constructor(schema: RowSchema, sides: readonly Side[] = []) {
    this.schema = schema;
    this.#sides = sides;
  }

  problem(span: Span, message: string, suggestion: string | null = null): null {
    this.problems.push(problemAt(span, message, suggestion));
    return null;
  }

  /** The typed form, or null where a problem was reported. */
  check(ast: Ast): Typed | null {
    const typed = this.#byKind(ast);
    if (typed !== null && expressionSize(typed.expression) > MAX_EXPRESSION_SIZE) {
      return this.problem(ast.span, `the expression is too large: more than ${MAX_EXPRESSION_SIZE} operations`);
    }
    return typed;
  }

  checkAll(asts: readonly Ast[]): readonly Typed[] | null {
    const all = asts.map((ast) => this.check(ast));
    const typed = all.filter((one) => one !== null);
    return typed.length === all.length ? typed : null;
  }

  #byKind(ast: Ast): Typed | null {
    switch (ast.kind) {
      case 'name':
        return this.#name(ast);
      case 'number':
        return this.#number(ast);
      case 'string':
        return { expression: literal(ast.text, types.string), literal: 'string', span: ast.span };
      case 'bytes':
        return typed({ kind: 'literal', type: types.bytes, value: ast.hex.toLowerCase() }, ast.span);
      case 'boolean':
        return typed(literal(ast.value, types.boolean), ast.span);
      case 'null':
        return { expression: nullLiteral(types.string), literal: 'null', span: ast.span };
      case 'interval':
        return this.problem(ast.span, 'an interval stands only beside + or - and a date, a time or a timestamp');
      case 'call':
        return checkCall(this, ast);
      case 'logic':
        return this.#logic(ast);
      case 'is-null':
        return this.#isNull(ast);
      case 'case':
        return this.#case(ast);
      case 'cast':
        return this.#cast(ast);
      case 'in':
        return this.#in(ast);
      case 'between':
        return this.#between(ast);
      case 'field':
        return this.#field(this.check(ast.arg), ast.name);
      case 'subscript':
        return this.#subscript(ast);
    }
  }

  #name(ast: AstOf<'name'>): Typed | null {
    const [first] = ast.parts;
    if (first === undefined) return this.problem(ast.span, 'expected a name');
    const { fields } = this.schema;
    const found =
      this.#sides.length > 0
        ? findSideField(ast.parts, fields, this.#sides)
        : { index: fieldIndex(this.schema, first.text), used: 1 };
    if (found !== null && 'problem' in found) return this.problem(found.at.span, found.problem, found.suggestion);
    const field = found === null ? undefined : fields[found.index];
    if (found === null || field === undefined) return this.#unknownField(first);
    const column: Expression = { kind: 'column', index: found.index, name: field.name, type: field.type };
    let result: Typed | null = typed(column, joinSpans(first.span, (ast.parts[found.used - 1] ?? first).span));
    for (const part of ast.parts.slice(found.used)) result = this.#field(result, part);
    return result;
  }

  #unknownField(part: NamePart): null {
    const names = [...namesOfSides(this.#sides), ...new Set(this.schema.fields.map((field) => field.name))];
    const nearest = nearestName(part.text, names);
    if (nearest !== null) {
      return this.problem(part.span, `there is no field \`${part.text}\`; did you mean \`${nearest}\`?`, nearest);
    }
    const upper = part.text.toUpperCase();
    if (CLOCKS.includes(upper)) return this.problem(part.span, clockMessage(upper));
    if (part.quoted) {
      const instead = `'${part.text.replaceAll("'", "''")}'`;
      const message = `there is no field "${part.text}"; text stands in single quotes: ${instead}`;
      return this.problem(part.span, message, instead);
    }
    const shown = names.slice(0, 20).join(', ') + (names.length > 20 ? ', …' : '');
    const known = names.length === 0 ? 'there are no fields here' : `known are ${shown}`;
    return this.problem(part.span, `there is no field \`${part.text}\`; ${known}`);
  }

  #field(of: Typed | null, name: NamePart): Typed | null {
    if (of === null) return null;
    const span = joinSpans(of.span, name.span);
    const { type } = of.expression;
    if (type.kind !== 'row' || of.literal === 'null') {
      const hint =
        type.kind === 'json'
          ? `; take it out of the JSON: ->> '${name.text}'`
          : type.kind === 'map'
            ? `; a value of a map is taken with ['${name.text}']`
            : '';
      return this.problem(name.span, `${describeTyped(of)} has no field \`${name.text}\`${hint}`);
    }
    const index = type.fields.findIndex((field) => field.name === name.text);
    const field = type.fields[index];
    if (field === undefined) {
      const names = type.fields.map((known) => known.name);
      const nearest = nearestName(name.text, names);
      const hint = nearest === null ? `known are ${names.join(', ')}` : `did you mean \`${nearest}\`?`;
      return this.problem(name.span, `the row has no field \`${name.text}\`; ${hint}`, nearest);
    }
    return typed(call('field(row,int)', [of.expression, literal(index, types.int)], field.type), span);
  }

  #subscript(ast: AstOf<'subscript'>): Typed | null {
    const arg = this.check(ast.arg);
    const index = this.check(ast.index);
    if (arg === null || index === null) return null;
    const { type } = arg.expression;
    if (type.kind === 'array') {
      const at = this.converted(index, types.int, 'the index of an array');
      if (at?.kind === 'literal' && typeof at.value === 'number' && at.value < 1) {
        return this.problem(index.span, 'elements of arrays are counted from 1');
      }
      return at === null ? null : typed(call('element_at(array<T>,int)', [arg.expression, at], type.element), ast.span);
    }
    if (type.kind === 'map') {
      const key = this.converted(index, type.key, 'the key of this map');
      return key === null ? null : typed(call('element_at(map<K,V>,K)', [arg.expression, key], type.value), ast.span);
    }
    const hint = type.kind === 'json' ? '; take parts of JSON with -> and ->>' : '; only arrays and maps have elements';
    return this.problem(ast.span, `${describeTyped(arg)} has no elements${hint}`);
  }

  /** Integers are int, else long, else decimal; with a point decimal; with an exponent double. */
  #number(ast: AstOf<'number'>): Typed | null {
    const { text } = ast;
    if (/[eE]/.test(text)) {
      const value = Number(text);
      if (!Number.isFinite(value)) return this.problem(ast.span, `the number ${text} does not fit into a double`);
      return { expression: literal(value, types.double), literal: 'number', span: ast.span };
    }
    const integer = /^-?\d+$/.test(text) ? parseLong(text) : null;
    if (integer !== null) {
      const isInt = BigInt.asIntN(32, integer) === integer;
      const expression = isInt ? literal(Number(integer), types.int) : literal(integer, types.long);
      return { expression, literal: 'number', span: ast.span };
    }
    const [whole = '', fraction = ''] = text.replace('-', '').split('.');
    const digits = whole.replace(/^0+/, '') + fraction;
    const precision = Math.max(1, digits.length);
    if (precision > 38) return this.problem(ast.span, 'the number has more than 38 digits; write it as a double: 1e40');
    const unscaled = BigInt(`${text.startsWith('-') ? '-' : ''}${whole}${fraction}` || '0');
    const type = types.decimal(precision, fraction.length);
    return { expression: literal(unscaled, type), literal: 'number', span: ast.span };
  }

  #logic(ast: AstOf<'logic'>): Typed | null {
    const args = ast.args.map((arg) => this.condition(arg, `an operand of ${ast.operator.toUpperCase()}`));
    const known = args.filter((arg) => arg !== null);
    if (known.length < args.length) return null;
    if (ast.operator === 'and') return typed(and(known), ast.span);
    if (ast.operator === 'or') return typed(or(known), ast.span);
    return typed(not(known[0] as Expression), ast.span);
  }

  /** An expression that must be a boolean. */
  condition(ast: Ast, what: string): Expression | null {
    const arg = this.check(ast);
    return arg === null ? null : this.converted(arg, types.boolean, what);
  }

  /** The argument as a type that it converts to by itself, or a problem. */
  converted(arg: Typed, to: DataType, what: string): Expression | null {
    if (conversionCost(arg, to) !== null) {
      const expression = convert(arg, to);
      if (expression !== null) return expression;
      if (arg.literal === 'string') return this.notATime(arg, to);
    }
    const found = describeTyped(arg);
    const hint =
      canCast(arg.expression.type, to) && to.kind !== 'boolean' ? `; CAST(… AS ${formatType(to)}) converts it` : '';
    return this.problem(arg.span, `${what} must be ${formatType(to)}, found ${found}${hint}`);
  }

  notATime(arg: Typed, to: DataType): null {
    const text = arg.expression.kind === 'literal' ? String(arg.expression.value) : '';
    const examples: Partial<Record<TypeKind, string>> = {
      date: '2024-02-29',
      time: '12:34:56',
      timestamp: '2024-02-29 12:34:56.789',
    };
    return this.problem(arg.span, `'${text}' is no ${to.kind}; one looks like '${examples[to.kind] ?? ''}'`);
  }

  #isNull(ast: AstOf<'is-null'>): Typed | null {
    const arg = this.check(ast.arg);
    if (arg === null) return null;
    const { negated } = ast;
    return typed({ kind: 'is-null', arg: arg.expression, negated, type: types.boolean }, ast.span);
  }

  #case(ast: AstOf<'case'>): Typed | null {
    const operand = ast.operand === null ? null : this.check(ast.operand);
    const whens = ast.branches.map((branch) => {
      if (ast.operand === null) return this.condition(branch.when, 'the condition behind WHEN');
      const when = this.check(branch.when);
      return operand === null || when === null ? null : this.compare(operand, when);
    });
    const results = this.checkAll([
      ...ast.branches.map((branch) => branch.then),
      ...(ast.otherwise === null ? [] : [ast.otherwise]),
    ]);
    const conditions = whens.filter((when) => when !== null);
    if (results === null || conditions.length < whens.length) return null;
    const type = this.common(results, 'the results of CASE', ast.span);
    if (type === null) return null;
    const converted = this.convertAll(results, type);
    if (converted === null) return null;
    const branches = conditions.map((when, index) => ({ when, then: converted[index] as Expression }));
    const otherwise = ast.otherwise === null ? nullLiteral(type) : (converted.at(-1) as Expression);
    return typed({ kind: 'case', branches, otherwise, type }, ast.span);
  }

  /** The type that all convert to, or a problem that names the first that does not. */
  common(all: readonly Typed[], what: string, span: Span): DataType | null {
    const type = commonTypeOf(all);
    if (type !== null) return type;
    if (all.every((one) => one.literal === 'null')) {
      return this.problem(span, 'the type of NULL is not known here; write CAST(NULL AS type)');
    }
    const [first] = all.filter((one) => one.literal !== 'null');
    const other = all.find((one) => one !== first && first !== undefined && commonTypeOf([first, one]) === null);
    if (first === undefined || other === undefined) return this.problem(span, `${what} must be of one type`);
    const message = `${what} must be of one type; found ${describeTyped(first)} and ${describeTyped(other)}`;
    return this.problem(other.span, message);
  }

  convertAll(all: readonly Typed[], type: DataType): readonly Expression[] | null {
    const converted = all.map((one) => convert(one, type) ?? this.notATime(one, type));
    const known = converted.filter((one) => one !== null);
    return known.length === converted.length ? known : null;
  }

  /** `a = b`, with the spans of both. */
  compare(a: Typed, b: Typed): Expression | null {
    const nameSpan = b.span;
    const placeholder = { kind: 'null', span: nameSpan } as const;
    const ast = {
      kind: 'call',
      name: '=',
      written: '=',
      nameSpan,
      args: [placeholder, placeholder],
      star: false,
      distinct: false,
      filter: null,
      span: nameSpan,
    } as const;
    return checkCall(this, ast, [a, b])?.expression ?? null;
  }

  #cast(ast: AstOf<'cast'>): Typed | null {
    const arg = this.check(ast.arg);
    const { type, maxLength } = ast.target;
    if (arg === null || type === null) return null;
    if (arg.literal === 'null') return typed(nullLiteral(type), ast.span);
    const from = arg.expression.type;
    if (!canCast(from, type)) {
      return this.problem(ast.span, `${formatType(from)} cannot be cast to ${formatType(type)}${castHint(from, type)}`);
    }
    if (arg.expression.kind === 'literal' && !ast.safe && !this.#literalCasts(arg, type, ast.span)) return null;
    const value = foldCast(cast(arg.expression, type, ast.safe));
    if (maxLength === null) return typed(value, ast.span);
    return typed(call('left(string,int)', [value, literal(maxLength, types.int)], types.string), ast.span);
  }

  /** A literal that cannot be cast is a mistake in the text, not in a record. */
  #literalCasts(arg: Typed, type: DataType, span: Span): boolean {
    if (arg.expression.kind !== 'literal') return true;
    try {
      const value = literalValue(arg.expression);
      if (value !== null) bindCast(arg.expression.type, type, false)(value);
      return true;
    } catch (error) {
      if (!isMillraceError(error)) throw error;
      this.problem(span, error.message);
      return false;
    }
  }

  #in(ast: AstOf<'in'>): Typed | null {
    const arg = this.check(ast.arg);
    const list = this.checkAll(ast.list);
    if (arg === null || list === null) return null;
    const { nameSpan, written } = { nameSpan: ast.span, written: 'IN' };
    const node = {
      kind: 'call',
      name: 'IN',
      written,
      nameSpan,
      args: [ast.arg, ...ast.list],
      star: false,
      distinct: false,
      filter: null,
      span: ast.span,
    } as const;
    const result = checkCall(this, node, [arg, ...list]);
    return result === null || !ast.negated ? result : typed(not(result.expression), ast.span);
  }

  /** x >= low AND x <= high; SYMMETRIC takes the limits in either order. */
  #between(ast: AstOf<'between'>): Typed | null {
    const all = this.checkAll([ast.arg, ast.low, ast.high]);
    if (all === null) return null;
    const [arg, low, high] = all as readonly [Typed, Typed, Typed];
    const forward = this.#range(ast, arg, low, high);
    if (forward === null) return null;
    const backward = ast.symmetric ? this.#range(ast, arg, high, low) : null;
    const inside = backward === null ? forward : or([forward, backward]);
    return typed(ast.negated ? not(inside) : inside, ast.span);
  }

  #range(ast: AstOf<'between'>, arg: Typed, low: Typed, high: Typed): Expression | null {
    const side = (name: string, limit: Typed): Expression | null => {
      const node = {
        kind: 'call',
        name,
        written: 'BETWEEN',
        nameSpan: limit.span,
        args: [ast.arg, ast.arg],
        star: false,
        distinct: false,
        filter: null,
        span: ast.span,
      } as const;
      return checkCall(this, node, [arg, limit])?.expression ?? null;
    };
    const above = side('>=', low);
    const below = side('<=', high);
    return above === null || below === null ? null : and([above, below]);
  }
}

/** Casts of literals whose success was tried. */
function foldCast(expression: Expression): Expression {
  if (expression.kind !== 'cast' || expression.arg.kind !== 'literal') return expression;
  return cast(expression.arg, expression.type, true);
}

function castHint(from: DataType, to: DataType): string {
  const isInteger = from.kind === 'int' || from.kind === 'long';
  if (isInteger && to.kind === 'timestamp')
    return '; write TO_TIMESTAMP_LTZ(x, 3) for milliseconds, (x, 0) for seconds';
  if (from.kind === 'timestamp' && (to.kind === 'long' || to.kind === 'int')) {
    return '; write TO_EPOCH_MILLIS(x) for milliseconds, UNIX_TIMESTAMP(x) for seconds';
  }
  return '';
}
