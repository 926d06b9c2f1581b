/**
 * The rows of the function registry. Operators are functions too; only what needs lazy evaluation or is built into the
 * IR (CASE, CAST, AND, OR, NOT, IS NULL, COALESCE) is not here.
 *
 * An overload's id is its function's name in lower case and its parameter types without spaces: `add(long,long)`,
 * `array_contains(array<T>,T)`, `concat(string...)`. Ids are stable: job graphs carry them.
 */
import { formatPattern, typePattern } from './type-pattern.ts';
import type { TypePattern } from './type-pattern.ts';
import type { DataType, Value } from '../../core/index.ts';

export type FunctionCategory =
  | 'arithmetic'
  | 'comparison'
  | 'logic'
  | 'conditional'
  | 'string'
  | 'math'
  | 'time'
  | 'json'
  | 'collection'
  | 'cast'
  | 'aggregate';

export type Constants = readonly (Value | undefined)[];

/** The exact types of one call: decimals with precision and scale, arrays with their elements. */
export interface CallTypes {
  readonly args: readonly DataType[];
  readonly result: DataType;
}

/**
 * The interpreter's implementation: already evaluated arguments in the forms of core/value.ts, one value back. Pure;
 * may throw a record-scope error of exprErrors. A strict overload's is never called with a null argument.
 */
export type Evaluator = (...args: readonly Value[]) => Value;

export interface Overload {
  readonly id: string;
  readonly functionName: string;
  readonly params: readonly TypePattern[];
  /** The last parameter may be repeated; at least one argument is given for it unless `minimumArity` says less. */
  readonly variadic: boolean;
  readonly minimumArity: number;
  /**
   * The result's type for arguments that match the parameters; `constants` are the values of those that are literals,
   * undefined for the others.
   */
  readonly returns: (args: readonly DataType[], constants: Constants) => DataType;
  /** How docs name the result. */
  readonly returnsText: string;
  /** NULL in → NULL out, and evaluate is not called. */
  readonly strict: boolean;
  /** May be NULL although no argument is. */
  readonly nullable: boolean;
  /** May throw a record error. */
  readonly canFail: boolean;
  /** The evaluator of one call site. Called once per site, so it may prepare (scales, caches of patterns). */
  readonly bind: (types: CallTypes) => Evaluator;
}

export interface FunctionExample {
  readonly sql: string;
  /** The result in the spelling of describeValue. */
  readonly result: string;
}

export interface FunctionRow {
  /** In upper case for functions; the operator's sign or keyword for operators. */
  readonly name: string;
  readonly category: FunctionCategory;
  /** How it is written, where that is not NAME(arguments). */
  readonly syntax: string | null;
  readonly doc: string;
  readonly examples: readonly FunctionExample[];
  readonly aliases: readonly string[];
  readonly deterministic: boolean;
  /** The argument that names a unit of time: written as a bare word or as text, checked before anything runs. */
  readonly unitArgument: UnitArgument | null;
  /** What is wrong with arguments that are literals, found before anything runs. */
  readonly checkConstants: ((constants: Constants) => ConstantProblem | null) | null;
  readonly overloads: readonly Overload[];
}

export interface ConstantProblem {
  /** Of the argument. */
  readonly index: number;
  readonly message: string;
}

export interface UnitArgument {
  readonly index: number;
  /** In upper case. */
  readonly units: readonly string[];
}

/** What an overload is declared from. */
export interface OverloadDeclaration {
  readonly returns: string | DataType | ((args: readonly DataType[], constants: Constants) => DataType);
  readonly returnsText?: string;
  readonly strict?: boolean;
  readonly nullable?: boolean;
  readonly canFail?: boolean;
  /** Arguments fewer than the parameters are allowed only for a variadic tail. */
  readonly minimumArity?: number;
}

/** Evaluators are declared with the value forms of their parameters; the checker guarantees them. */
type Implementation = (...args: never[]) => Value;

/** An overload whose evaluator needs no types. `params` as in `string, int` or `string...`. */
export function overload(
  name: string,
  params: string,
  declaration: OverloadDeclaration,
  implementation: Implementation,
): Overload {
  const evaluator = implementation as unknown as Evaluator;
  return boundOverload(name, params, declaration, () => evaluator);
}

/** An overload whose evaluator is made per call site. */
export function boundOverload(
  name: string,
  params: string,
  declaration: OverloadDeclaration,
  bind: (types: CallTypes) => Implementation,
): Overload {
  const variadic = params.endsWith('...');
  const patterns = splitParams(variadic ? params.slice(0, -3) : params).map(typePattern);
  const idTexts = patterns.map((pattern) => formatPattern(pattern).replaceAll(' ', ''));
  const { returns } = declaration;
  return Object.freeze({
    id: `${name.toLowerCase()}(${idTexts.join(',')}${variadic ? '...' : ''})`,
    functionName: name,
    params: Object.freeze(patterns),
    variadic,
    minimumArity: declaration.minimumArity ?? patterns.length,
    returns: returnType(returns, patterns),
    returnsText:
      declaration.returnsText ??
      (typeof returns === 'string' ? returns : typeof returns === 'function' ? 'decimal' : returns.kind),
    strict: declaration.strict ?? true,
    nullable: declaration.nullable ?? false,
    canFail: declaration.canFail ?? false,
    bind: bind as unknown as (types: CallTypes) => Evaluator,
  });
}

/** Commas inside `map<K, V>` do not separate parameters. */
function splitParams(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const char of text) {
    if (char === '<') depth++;
    if (char === '>') depth--;
    if (char === ',' && depth === 0) {
      parts.push(part);
      part = '';
    } else {
      part += char;
    }
  }
  if (part.trim() !== '') parts.push(part);
  return parts;
}

function returnType(returns: OverloadDeclaration['returns'], params: readonly TypePattern[]): Overload['returns'] {
  if (typeof returns === 'function') return returns;
  if (typeof returns !== 'string') return () => returns;
  const pattern = typePattern(returns);
  return (args) => instantiate(pattern, bindVariables(params, args));
}

function bindVariables(params: readonly TypePattern[], args: readonly DataType[]): ReadonlyMap<string, DataType> {
  const bindings = new Map<string, DataType>();
  args.forEach((arg, index) => {
    const param = params[Math.min(index, params.length - 1)];
    if (param !== undefined) bindVariable(param, arg, bindings);
  });
  return bindings;
}

function bindVariable(param: TypePattern, arg: DataType, bindings: Map<string, DataType>): void {
  if (param.kind === 'variable' && !bindings.has(param.name)) bindings.set(param.name, arg);
  if (param.kind === 'array' && arg.kind === 'array') bindVariable(param.element, arg.element, bindings);
  if (param.kind === 'map' && arg.kind === 'map') {
    bindVariable(param.key, arg.key, bindings);
    bindVariable(param.value, arg.value, bindings);
  }
}

/** The type that a pattern stands for once its variables are known. */
function instantiate(pattern: TypePattern, bindings: ReadonlyMap<string, DataType>): DataType {
  switch (pattern.kind) {
    case 'exact':
      return pattern.type;
    case 'variable': {
      const bound = bindings.get(pattern.name);
      if (bound === undefined) throw new TypeError(`type variable ${pattern.name} is not bound`);
      return bound;
    }
    case 'array':
      return { kind: 'array', element: instantiate(pattern.element, bindings) };
    case 'map':
      return { kind: 'map', key: instantiate(pattern.key, bindings), value: instantiate(pattern.value, bindings) };
    case 'decimal':
    case 'row':
    case 'any':
      throw new TypeError(`${pattern.kind} alone does not name a type`);
  }
}

export interface FunctionDeclaration {
  readonly category: FunctionCategory;
  readonly doc: string;
  /** SQL text to the result in the spelling of describeValue. */
  readonly examples: Readonly<Record<string, string>>;
  readonly syntax?: string;
  readonly aliases?: readonly string[];
  readonly unitArgument?: UnitArgument;
  readonly checkConstants?: (constants: Constants) => ConstantProblem | null;
}

export function functionRow(
  name: string,
  declaration: FunctionDeclaration,
  overloads: readonly Overload[],
): FunctionRow {
  return Object.freeze({
    name,
    category: declaration.category,
    syntax: declaration.syntax ?? null,
    doc: declaration.doc,
    examples: Object.entries(declaration.examples).map(([sql, result]) => ({ sql, result })),
    aliases: declaration.aliases ?? [],
    deterministic: true,
    unitArgument: declaration.unitArgument ?? null,
    checkConstants: declaration.checkConstants ?? null,
    overloads,
  });
}
