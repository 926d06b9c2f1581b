/**
 * PostgreSQL's parse tree → our syntax (ast.ts). The tree comes as JSON of unknown shape; only what expressions may
 * hold is read, everything else is a problem. Placeholders are replaced by what they stand for.
 */
import { joinSpans, problemAt } from '../check/problem.ts';
import { parseTypePrefix } from '../types/type-grammar.ts';
import type { Ast, AstType, NamePart } from './ast.ts';
import type { Piece, Rewritten } from './rewrite.ts';
import type { Problem, Span } from '../check/problem.ts';

type Json = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 250;

/** Ends the translation: what is wrong is one problem, because nothing around it makes sense. */
class Untranslatable extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

export type Translation = { readonly ast: Ast } | { readonly problem: Problem };

export function translate(tree: unknown, rewritten: Rewritten, text: string): Translation {
  try {
    return { ast: new Translator(rewritten, text).statement(tree) };
  } catch (error) {
    if (error instanceof Untranslatable) return { problem: error.problem };
    throw error;
  }
}

export function tooDeep(text: string): Problem {
  const message = `the expression is nested too deeply; the most is ${MAX_DEPTH} levels`;
  return problemAt({ start: 0, end: text.length }, message);
}

const COMPARISONS: Readonly<Record<string, string>> = {
  AEXPR_DISTINCT: 'IS DISTINCT FROM',
  AEXPR_NOT_DISTINCT: 'IS NOT DISTINCT FROM',
};
const TRUTH_TESTS: Readonly<Record<string, string>> = {
  IS_TRUE: 'IS TRUE',
  IS_NOT_TRUE: 'IS NOT TRUE',
  IS_FALSE: 'IS FALSE',
  IS_NOT_FALSE: 'IS NOT FALSE',
};

class Translator {
  readonly #rewritten: Rewritten;
  readonly #text: string;
  readonly #indexByOffset: ReadonlyMap<number, number>;
  readonly #indexByStart: ReadonlyMap<number, number>;
  #depth = 0;

  constructor(rewritten: Rewritten, text: string) {
    this.#rewritten = rewritten;
    this.#text = text;
    this.#indexByOffset = new Map(rewritten.offsets.map((offset, index) => [offset, index]));
    this.#indexByStart = new Map(rewritten.pieces.map((piece, index) => [piece.start, index]));
  }

  /** One SELECT with one unnamed target and nothing else: `1) FROM t WHERE (1` is a statement, too. */
  statement(tree: unknown): Ast {
    const statements = list(record(tree).stmts);
    const select = record(record(record(statements[0]).stmt).SelectStmt);
    const targets = list(select.targetList);
    const target = record(record(targets[0]).ResTarget);
    const allowed = ['targetList', 'limitOption', 'op'];
    const isExpression =
      statements.length === 1 && targets.length === 1 && Object.keys(select).every((key) => allowed.includes(key));
    if (!isExpression || target.name !== undefined || target.val === undefined) {
      throw this.#untranslatable(this.#whole(), 'this is no single expression');
    }
    return this.#node(target.val);
  }

  #node(value: unknown): Ast {
    if (++this.#depth > MAX_DEPTH) throw new Untranslatable(tooDeep(this.#text));
    const entries = Object.entries(record(value));
    const [kind = '', body] = entries[0] ?? [];
    const ast = this.#byKind(kind, record(body));
    this.#depth--;
    return ast;
  }

  #byKind(kind: string, body: Json): Ast {
    switch (kind) {
      case 'ColumnRef':
        return this.#columnRef(body);
      case 'A_Const':
        return this.#constant(body);
      case 'A_Expr':
        return this.#operatorExpression(body);
      case 'BoolExpr':
        return this.#boolean(body);
      case 'NullTest': {
        const arg = this.#node(body.arg);
        const negated = body.nulltesttype === 'IS_NOT_NULL';
        return { kind: 'is-null', arg, negated, span: this.#upTo(arg.span, body, negated ? 2 : 1) };
      }
      case 'BooleanTest':
        return this.#truthTest(body);
      case 'CaseExpr':
        return this.#case(body);
      case 'TypeCast':
        return this.#cast(body);
      case 'FuncCall':
        return this.#call(body);
      case 'A_ArrayExpr': {
        const array = this.#simpleCall('ARRAY', this.#at(body), this.#nodes(body.elements));
        return { ...array, span: this.#closed(array.span, this.#indexByOffset.get(Number(body.location)) ?? -2) };
      }
      case 'A_Indirection':
        return this.#indirection(body);
      default:
        throw this.#untranslatable(this.#at(body), this.#unsupported(kind));
    }
  }

  #unsupported(kind: string): string {
    if (kind === 'RowExpr') return 'a list in parentheses is only written behind IN; write ROW(a, b) for a row';
    if (kind === 'SubLink') return 'subqueries are not a part of expressions';
    if (kind === 'NamedArgExpr') return 'arguments have no names here; write them in order';
    return `this part of SQL (${kind}) is not supported in expressions`;
  }

  #nodes(value: unknown): Ast[] {
    return list(value).map((item) => this.#node(item));
  }

  #columnRef(body: Json): Ast {
    const parts = list(body.fields).map((field) => this.#namePart(field));
    const [first] = parts;
    if (first === undefined) throw this.#untranslatable(this.#at(body), 'expected a name');
    const piece = this.#placeholder(record(record(list(body.fields)[0]).String).sval);
    if (piece?.kind === 'interval' && parts.length === 1) {
      const { from, to } = piece.interval ?? { from: null, to: null };
      return { kind: 'interval', text: piece.text, from, to, span: { start: piece.start, end: piece.end } };
    }
    const span = joinSpans(first.span, parts.at(-1)?.span ?? first.span);
    return { kind: 'name', parts, span };
  }

  #namePart(field: unknown): NamePart {
    const name = record(record(field).String).sval;
    const piece = this.#placeholder(name);
    if (piece === null) throw this.#untranslatable(this.#whole(), '`*` stands only in COUNT(*)');
    return { text: piece.text, quoted: piece.quoted, span: { start: piece.start, end: piece.end } };
  }

  /** The piece that `i3` or `s3` stands for. */
  #placeholder(name: unknown): Piece | null {
    const match = typeof name === 'string' ? /^[is](\d+)$/.exec(name) : null;
    return match === null ? null : (this.#rewritten.pieces[Number(match[1])] ?? null);
  }

  #constant(body: Json): Ast {
    const span = this.#at(body);
    if (body.isnull === true) return { kind: 'null', span };
    if (body.boolval !== undefined) return { kind: 'boolean', value: record(body.boolval).boolval === true, span };
    if (body.sval !== undefined) {
      const piece = this.#placeholder(record(body.sval).sval);
      if (piece === null) throw this.#untranslatable(span, 'expected a text');
      if (piece.kind === 'bytes') return { kind: 'bytes', hex: piece.text, span };
      return { kind: 'string', text: piece.text, span };
    }
    const text = body.fval !== undefined ? record(body.fval).fval : (record(body.ival).ival ?? 0);
    return { kind: 'number', text: String(text), span: this.#numberSpan(body) };
  }

  /** The parser folds signs into numbers: from the sign to the digits. */
  #numberSpan(body: Json): Span {
    const index = this.#indexByOffset.get(Number(body.location)) ?? 0;
    const rest = this.#rewritten.pieces.slice(index);
    const first = rest[0] ?? this.#whole();
    return joinSpans(first, rest.find((piece) => piece.kind === 'number') ?? first);
  }

  #operatorExpression(body: Json): Ast {
    const kind = String(body.kind);
    const operator = String(record(record(list(body.name)[0]).String).sval);
    switch (kind) {
      case 'AEXPR_OP':
        return this.#operator(operator, body);
      case 'AEXPR_DISTINCT':
      case 'AEXPR_NOT_DISTINCT':
        return this.#simpleCall(COMPARISONS[kind] ?? '', this.#at(body), [
          this.#node(body.lexpr),
          this.#node(body.rexpr),
        ]);
      case 'AEXPR_IN':
        return this.#in(body, operator);
      case 'AEXPR_LIKE':
      case 'AEXPR_ILIKE':
        return this.#like(kind === 'AEXPR_LIKE' ? 'LIKE' : 'ILIKE', body, operator.startsWith('!'));
      case 'AEXPR_BETWEEN':
      case 'AEXPR_NOT_BETWEEN':
      case 'AEXPR_BETWEEN_SYM':
      case 'AEXPR_NOT_BETWEEN_SYM':
        return this.#between(kind, body);
      default:
        throw this.#untranslatable(this.#at(body), `the operator ${operator} is not supported in this form`);
    }
  }

  #operator(operator: string, body: Json): Ast {
    const span = this.#at(body);
    const right = this.#node(body.rexpr);
    if (body.lexpr !== undefined) return this.#simpleCall(operator, span, [this.#node(body.lexpr), right]);
    if (operator === '-') return this.#simpleCall('unary -', span, [right]);
    if (operator === '+') return right;
    throw this.#untranslatable(span, `\`${operator}\` needs a value on both sides`);
  }

  #in(body: Json, operator: string): Ast {
    const arg = this.#node(body.lexpr);
    const items = this.#nodes(record(record(body.rexpr).List).items);
    const span = items.reduce((whole, item) => joinSpans(whole, item.span), joinSpans(arg.span, this.#at(body)));
    return { kind: 'in', arg, list: items, negated: operator === '<>', span };
  }

  #like(name: string, body: Json, negated: boolean): Ast {
    const args = [this.#node(body.lexpr)];
    const escape = record(body.rexpr).FuncCall;
    const escapeName = escape === undefined ? undefined : record(record(list(record(escape).funcname)[1]).String).sval;
    if (escapeName === 'like_escape') args.push(...this.#nodes(record(escape).args));
    else args.push(this.#node(body.rexpr));
    const call = this.#simpleCall(name, this.#at(body), args);
    return negated ? { kind: 'logic', operator: 'not', args: [call], span: call.span } : call;
  }

  #between(kind: string, body: Json): Ast {
    const arg = this.#node(body.lexpr);
    const [low, high] = this.#nodes(record(record(body.rexpr).List).items);
    if (low === undefined || high === undefined) throw this.#untranslatable(this.#at(body), 'BETWEEN needs two limits');
    return {
      kind: 'between',
      arg,
      low,
      high,
      symmetric: kind.endsWith('_SYM'),
      negated: kind.startsWith('AEXPR_NOT'),
      span: joinSpans(arg.span, high.span),
    };
  }

  #boolean(body: Json): Ast {
    const args = this.#nodes(body.args);
    const operator = body.boolop === 'AND_EXPR' ? 'and' : body.boolop === 'OR_EXPR' ? 'or' : 'not';
    const span = args.reduce((whole, arg) => joinSpans(whole, arg.span), this.#at(body));
    return { kind: 'logic', operator, args, span };
  }

  #truthTest(body: Json): Ast {
    const arg = this.#node(body.arg);
    const test = String(body.booltesttype);
    if (test === 'IS_UNKNOWN' || test === 'IS_NOT_UNKNOWN') {
      const negated = test === 'IS_NOT_UNKNOWN';
      return { kind: 'is-null', arg, negated, span: this.#upTo(arg.span, body, negated ? 2 : 1) };
    }
    return this.#simpleCall(TRUTH_TESTS[test] ?? test, this.#at(body), [arg]);
  }

  #case(body: Json): Ast {
    const operand = body.arg === undefined ? null : this.#node(body.arg);
    const branches = list(body.args).map((item) => {
      const branch = record(record(item).CaseWhen);
      return { when: this.#node(branch.expr), then: this.#node(branch.result) };
    });
    const otherwise = body.defresult === undefined ? null : this.#node(body.defresult);
    const last = otherwise ?? branches.at(-1)?.then;
    const start = this.#at(body);
    return {
      kind: 'case',
      operand,
      branches,
      otherwise,
      span: last === undefined ? start : joinSpans(start, last.span),
    };
  }

  #cast(body: Json): Ast {
    const arg = this.#node(body.arg);
    const typeName = record(body.typeName);
    const piece = this.#placeholder(record(record(list(typeName.names)[0]).String).sval);
    if (piece === null) throw this.#untranslatable(arg.span, 'expected a type');
    if (piece.type === undefined) return this.#typedLiteral(piece, arg);
    const location = Number(body.location);
    const index = this.#indexByOffset.get(location);
    const safe = index !== undefined && this.#rewritten.safeCasts.has(index);
    const start = index === undefined ? arg.span : this.#at(body);
    const inner = joinSpans(joinSpans(start, arg.span), piece.type.span);
    const span = index === undefined ? inner : this.#closed(inner, index);
    return { kind: 'cast', arg, target: piece.type, safe, span };
  }

  /** DATE '2024-02-29', TIMESTAMP(3) '…': the type stands before the text. */
  #typedLiteral(piece: Piece, arg: Ast): Ast {
    const span = joinSpans(piece, arg.span);
    const prefix = parseTypePrefix(this.#text.slice(0, arg.span.start), piece.start);
    if (prefix.type === null) {
      const message = `expected an operator between \`${piece.text}\` and the text behind it`;
      throw this.#untranslatable(span, message);
    }
    const target: AstType = { type: prefix.type, maxLength: null, span: { start: piece.start, end: piece.end } };
    return { kind: 'cast', arg, target, safe: false, span };
  }

  #call(body: Json): Ast {
    const names = list(body.funcname).map((name) => record(record(name).String).sval);
    const piece = this.#placeholder(names[0]);
    // SUBSTRING(a, b) and OVERLAY(a, b, c) with commas have no schema.
    const keyword = names[0] === 'pg_catalog' ? names[1] : piece === null ? names[0] : null;
    const syntax = typeof keyword === 'string' ? keyword.toUpperCase() : null;
    if (syntax === null && names.length > 1) throw this.#untranslatable(this.#at(body), 'functions have no schema');
    for (const key of ['agg_order', 'agg_within_group', 'func_variadic', 'over']) {
      if (body[key] !== undefined)
        throw this.#untranslatable(this.#at(body), 'only arguments, DISTINCT and FILTER (WHERE …) stand in calls');
    }
    const written = piece?.text ?? this.#pieceAt(body)?.text ?? syntax ?? '';
    const nameSpan = piece === null ? this.#at(body) : { start: piece.start, end: piece.end };
    const args = this.#nodes(body.args);
    const filter = body.agg_filter === undefined ? null : this.#node(body.agg_filter);
    const parts = filter === null ? args : [...args, filter];
    const index = this.#indexByStart.get(nameSpan.start) ?? -2;
    const span = this.#closed(
      parts.reduce((whole, arg) => joinSpans(whole, arg.span), nameSpan),
      index,
    );
    return {
      kind: 'call',
      name: syntax === null ? written.toUpperCase() : syntax,
      written,
      nameSpan,
      args: syntax === 'POSITION' ? args.reverse() : args,
      star: body.agg_star === true,
      distinct: body.agg_distinct === true,
      filter,
      span,
    };
  }

  #simpleCall(name: string, nameSpan: Span, args: readonly Ast[]): Ast {
    const span = args.reduce((whole, arg) => joinSpans(whole, arg.span), nameSpan);
    const written = this.#text.slice(nameSpan.start, nameSpan.end);
    return { kind: 'call', name, written, nameSpan, args, star: false, distinct: false, filter: null, span };
  }

  #indirection(body: Json): Ast {
    let ast = this.#node(body.arg);
    for (const step of list(body.indirection)) {
      const indices = record(step).A_Indices;
      if (indices === undefined) {
        const name = this.#namePart(step);
        ast = { kind: 'field', arg: ast, name, span: joinSpans(ast.span, name.span) };
        continue;
      }
      const subscript = record(indices);
      if (subscript.is_slice === true || subscript.uidx === undefined) {
        throw this.#untranslatable(ast.span, 'slices of arrays are not supported');
      }
      const index = this.#node(subscript.uidx);
      ast = { kind: 'subscript', arg: ast, index, span: joinSpans(ast.span, index.span) };
    }
    return ast;
  }

  /** To the bracket that closes what a name or keyword opened behind itself. */
  #closed(span: Span, index: number): Span {
    const { pairs, pieces } = this.#rewritten;
    const close = pieces[pairs.get(index + 1) ?? -1];
    return close === undefined ? span : joinSpans(span, close);
  }

  #pieceAt(body: Json): Piece | null {
    const index = this.#indexByOffset.get(Number(body.location));
    return index === undefined ? null : (this.#rewritten.pieces[index] ?? null);
  }

  #at(body: Json): Span {
    const piece = this.#pieceAt(body);
    return piece === null ? this.#whole() : { start: piece.start, end: piece.end };
  }

  /** From `start` over `count` more keywords behind the one where `body` stands. */
  #upTo(start: Span, body: Json, count: number): Span {
    const index = this.#indexByOffset.get(Number(body.location)) ?? 0;
    const last = this.#rewritten.pieces[index + count] ?? this.#rewritten.pieces[index];
    return last === undefined ? start : joinSpans(start, last);
  }

  #whole(): Span {
    return { start: 0, end: this.#text.length };
  }

  #untranslatable(span: Span, message: string): Untranslatable {
    return new Untranslatable(problemAt(span, message));
  }
}

function record(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
