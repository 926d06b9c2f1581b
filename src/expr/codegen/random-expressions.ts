/** Random typed expressions, values and rows from a seed, for tests: everything that the registry and the IR have. */
import { MAX_INT, types } from '../../core/index.ts';
import type { DataType, Expression, Field, RowSchema, Value } from '../../core/index.ts';
import { canCast } from '../cast/cast.ts';
import { literalOf, literalValue } from '../ir/literal.ts';
import { functionRows, overloads } from '../registry/registry.ts';
import type { Overload } from '../registry/overload.ts';
import type { TypePattern } from '../registry/type-pattern.ts';
import { sameType } from '../../core/index.ts';
import { randomValue } from './random-values.ts';
import type { Random } from './random-values.ts';

const DECIMALS: readonly DataType[] = [
  types.decimal(5, 2),
  types.decimal(10, 0),
  types.decimal(15, 3),
  types.decimal(19, 0),
  types.decimal(20, 6),
  types.decimal(38, 10),
  types.decimal(38, 0),
];

const SCALARS: readonly DataType[] = [
  types.boolean,
  types.int,
  types.long,
  types.float,
  types.double,
  types.string,
  types.bytes,
  types.date,
  types.time,
  types.timestamp,
];

const ROW = types.row([
  { name: 'a', type: types.int },
  { name: 'b', type: types.string },
]);

const COLLECTIONS: readonly DataType[] = [
  types.array(types.string),
  types.array(types.int),
  types.array(types.long),
  types.map(types.string, types.int),
  ROW,
];

const ALL_TYPES: readonly DataType[] = [...SCALARS, ...DECIMALS, types.json, ...COLLECTIONS];

/** Two columns of most types, named so that a name in generated source would break it. */
export const TEST_SCHEMA: RowSchema = {
  fields: [...ALL_TYPES, ...SCALARS, types.decimal(5, 2), types.decimal(38, 10)].map((type, index): Field => ({
    name: `f${index}"];\`;${type.kind}*/`,
    type,
  })),
};

const rowOf = new Map(functionRows.flatMap((row) => row.overloads.map((overload) => [overload.id, row] as const)));
const FIELD = 'field(row,int)';
const MAP = 'map(any...)';
const LENGTHS = new Set(['REPEAT', 'LPAD', 'RPAD']);

function fieldType(index: Value | undefined): DataType {
  return (ROW as Extract<DataType, { kind: 'row' }>).fields[index as number]?.type ?? ROW;
}

/** What a test run has built, to be compared with what exists. */
class Coverage {
  readonly overloads = new Set<string>();
  readonly kinds = new Set<string>();
  readonly casts = new Set<string>();
}

export class ExpressionGenerator {
  readonly #random: Random;
  readonly coverage = new Coverage();
  /** What columns index. */
  readonly schema = TEST_SCHEMA;

  constructor(random: Random) {
    this.#random = random;
  }

  /** An expression whose root is the n-th of all overloads, kinds and casts: a long enough run has them all. */
  root(n: number, depth: number): Expression {
    const roots = this.#roots();
    return (roots[n % roots.length] as (depth: number) => Expression)(depth);
  }

  #roots(): ((depth: number) => Expression)[] {
    const calls = [...overloads.values()].map((overload) => (depth: number) => this.#call(overload, depth));
    const casts = this.castPairs().map(
      ([from, to]) =>
        (depth: number) =>
          this.#cast(this.of(from, depth - 1), to),
    );
    const kinds = [
      (depth: number) => this.#case(this.#type(), depth),
      (depth: number) => this.#coalesce(this.#type(), depth),
      (depth: number) => this.#logic(depth),
      (depth: number) => this.#isNull(depth),
      (depth: number) => this.#logic(depth),
    ];
    return [...calls, ...casts, ...kinds, ...kinds];
  }

  /** One cast per pair of kinds that exists. */
  castPairs(): readonly (readonly [DataType, DataType])[] {
    const kinds = [...SCALARS, types.decimal(15, 3), types.decimal(38, 10), types.json, ...COLLECTIONS];
    return kinds.flatMap((from) => kinds.filter((to) => canCast(from, to)).map((to) => [from, to] as const));
  }

  of(type: DataType, depth: number): Expression {
    const random = this.#random;
    if (depth <= 0 || random.chance(0.15)) return this.#leaf(type);
    const roll = random.next();
    if (roll < 0.08) return this.#case(type, depth);
    if (roll < 0.14) return this.#coalesce(type, depth);
    if (roll < 0.24) {
      const from = random.pick(ALL_TYPES);
      return canCast(from, type) ? this.#cast(this.of(from, depth - 1), type) : this.#leaf(type);
    }
    if (type.kind === 'boolean' && roll < 0.4) return random.chance(0.75) ? this.#logic(depth) : this.#isNull(depth);
    return this.#callOf(type, depth) ?? this.#leaf(type);
  }

  #type(): DataType {
    return this.#random.pick(ALL_TYPES);
  }

  #leaf(type: DataType): Expression {
    const columns = TEST_SCHEMA.fields.flatMap((field, index) => (sameType(field.type, type) ? [index] : []));
    if (columns.length > 0 && this.#random.chance(0.75)) {
      const index = this.#random.pick(columns);
      this.coverage.kinds.add('column');
      return { kind: 'column', index, name: (TEST_SCHEMA.fields[index] as Field).name, type };
    }
    this.coverage.kinds.add('literal');
    const value = this.#random.chance(0.04) ? null : randomValue(this.#random, type, true);
    return literalOf(value, type) ?? { kind: 'literal', type, value: null };
  }

  /** A call with exactly this type, where a few tries find one. */
  #callOf(type: DataType, depth: number): Expression | null {
    const all = [...overloads.values()];
    for (let tries = 0; tries < 12; tries++) {
      const overload = this.#random.pick(all);
      const args = this.#argumentTypes(overload);
      if (!sameType(overload.returns(args, []), type)) continue;
      const call = this.#callWith(overload, args, depth);
      // The type of some calls depends on literals among the arguments.
      if (sameType(call.type, type)) return call;
    }
    return null;
  }

  #call(overload: Overload, depth: number): Expression {
    return this.#callWith(overload, this.#argumentTypes(overload), depth);
  }

  #callWith(overload: Overload, args: readonly DataType[], depth: number): Expression {
    this.coverage.kinds.add('call');
    this.coverage.overloads.add(overload.id);
    const declared = rowOf.get(overload.id);
    for (;;) {
      const made = args.map((type, index) => this.#literalOnly(overload, index) ?? this.of(type, depth - 1));
      const constants = made.map((arg) => (arg.kind === 'literal' ? literalValue(arg) : undefined));
      // What the checker refuses is never evaluated.
      if ((declared?.checkConstants?.(constants) ?? null) !== null) continue;
      const type = overload.id === FIELD ? fieldType(constants[1]) : overload.returns(args, constants);
      return { kind: 'call', overload: overload.id, args: made, type };
    }
  }

  /**
   * An argument that can only be a literal: a unit of time, the index of a row's field; and the length of a text, so
   * that the run is not spent on texts of megabytes.
   */
  #literalOnly(overload: Overload, index: number): Expression | null {
    if (LENGTHS.has(overload.functionName) && index === 1) {
      return { kind: 'literal', type: types.int, value: this.#random.pick([-1, 0, 1, 3, 17, MAX_INT]) };
    }
    if (overload.id === FIELD && index === 1)
      return { kind: 'literal', type: types.int, value: this.#random.integer(0, 1) };
    const unit = rowOf.get(overload.id)?.unitArgument;
    if (unit === undefined || unit === null || unit.index !== index || unit.units.length === 0) return null;
    if (!sameType(this.#parameter(overload, index), types.string)) return null;
    return { kind: 'literal', type: types.string, value: this.#random.pick(unit.units) };
  }

  #parameter(overload: Overload, index: number): DataType {
    const pattern = overload.params[Math.min(index, overload.params.length - 1)] as TypePattern;
    return pattern.kind === 'exact' ? pattern.type : types.boolean;
  }

  #argumentTypes(overload: Overload): DataType[] {
    if (overload.id === MAP) {
      const [key, value] = [
        this.#random.pick([types.string, types.int]),
        this.#random.pick([types.string, types.int, types.long]),
      ];
      return Array.from({ length: this.#random.integer(1, 3) }, () => [key, value]).flat();
    }
    const bindings = new Map<string, DataType>();
    const count = overload.variadic
      ? this.#random.integer(
          Math.max(overload.minimumArity, 0),
          overload.params.length + (this.#random.chance(0.1) ? 12 : 2),
        )
      : overload.params.length;
    return Array.from({ length: count }, (_, index) => {
      const pattern = overload.params[Math.min(index, overload.params.length - 1)] as TypePattern;
      return this.#instantiate(pattern, bindings);
    });
  }

  #instantiate(pattern: TypePattern, bindings: Map<string, DataType>): DataType {
    switch (pattern.kind) {
      case 'exact':
        return pattern.type;
      case 'any':
        return this.#random.pick(ALL_TYPES);
      case 'decimal':
        return this.#random.pick(DECIMALS);
      case 'row':
        return ROW;
      case 'array':
        return types.array(this.#instantiate(pattern.element, bindings));
      case 'map':
        return types.map(this.#instantiate(pattern.key, bindings), this.#instantiate(pattern.value, bindings));
      case 'variable': {
        const bound = bindings.get(pattern.name) ?? this.#random.pick([types.string, types.int, types.long]);
        bindings.set(pattern.name, bound);
        return bound;
      }
    }
  }

  #cast(arg: Expression, type: DataType): Expression {
    this.coverage.kinds.add('cast');
    const safe = this.#random.chance(0.3);
    this.coverage.casts.add(`${arg.type.kind} ${type.kind}`);
    return { kind: 'cast', arg, safe, type };
  }

  #case(type: DataType, depth: number): Expression {
    this.coverage.kinds.add('case');
    const branches = Array.from({ length: this.#random.integer(1, 3) }, () => ({
      when: this.of(types.boolean, depth - 1),
      then: this.of(type, depth - 1),
    }));
    return { kind: 'case', branches, otherwise: this.of(type, depth - 1), type };
  }

  #coalesce(type: DataType, depth: number): Expression {
    this.coverage.kinds.add('coalesce');
    const args = Array.from({ length: this.#random.integer(1, 3) }, () => this.of(type, depth - 1));
    return { kind: 'coalesce', args, type };
  }

  #logic(depth: number): Expression {
    this.coverage.kinds.add('logic');
    const operator = this.#random.pick(['and', 'or', 'not'] as const);
    const count = operator === 'not' ? 1 : this.#random.integer(2, 3);
    const args = Array.from({ length: count }, () => this.of(types.boolean, depth - 1));
    return { kind: 'logic', operator, args, type: types.boolean };
  }

  #isNull(depth: number): Expression {
    this.coverage.kinds.add('is-null');
    return {
      kind: 'is-null',
      arg: this.of(this.#type(), depth - 1),
      negated: this.#random.chance(0.5),
      type: types.boolean,
    };
  }
}
