import type { CodeByRole, LookupFunction, UserRow } from '../core/index.ts';
import { callSite } from './call-site.ts';
import type { Expressions, Flattened, Selected } from './expressions.ts';
import type { EmittedRow, Longs, RowOf, Schema } from './field-types.ts';
import { GroupedStream, typesOf } from './grouped-stream.ts';
import { CODE } from './job-builder.ts';
import type { JobBuilder } from './job-builder.ts';
import type { BuiltJob } from './job-definition.ts';
import { KeyedStream } from './keyed-stream.ts';
import type {
  CodeLookupSettings,
  CodeSettings,
  Conditions,
  JoinSettings,
  JoinType,
  LookupSettings,
  NoSides,
  Sideways,
  SinkSettings,
  StepSettings,
} from './settings.ts';

/** The fields of both sides; those whose names clash are there as STEP_FIELD, which only SQL can name. */
type Both<L extends Schema, R extends Schema> = Omit<L, keyof R> & Omit<R, keyof L>;

type Joined<L extends Schema, R extends Schema, Type extends JoinType, E extends Expressions> = [E] extends [never]
  ? Type extends 'semi' | 'anti'
    ? L
    : Both<L, R>
  : Selected<Both<L, R>, E>;

/**
 * Rows with the fields `S`. Every verb adds a step to the job and returns the rows that leave it; state is kept under
 * the id of its step. `Sides` are the other streams of the step, by name.
 */
export class Stream<S extends Schema, Sides extends Sideways = NoSides> extends GroupedStream<S, never> {
  constructor(builder: JobBuilder, name: string) {
    super({ builder, name, open: (other) => new Stream(builder, other) }, []);
  }

  /** The job that the step belongs to, for `export default`. */
  get job(): BuiltJob {
    return this.handle.builder;
  }

  /** Another stream of the step: rows that came too late for a window, or what a process step sends by emitTo(). */
  side<Name extends keyof Sides & string>(name: Name): Stream<Sides[Name]> {
    return this.handle.open(name);
  }

  /** What follows works per value of these fields. */
  keyBy<const Key extends readonly [keyof S & string, ...(keyof S & string)[]]>(
    ...fields: Key
  ): KeyedStream<S, Key[number]> {
    return new KeyedStream(this.handle, fields);
  }

  /** Keeps the rows for which the SQL expression is TRUE, or the function true. */
  filter<L extends Longs = 'number'>(
    id: string,
    predicate: string | ((row: RowOf<S, L>) => boolean),
    settings: CodeSettings<L> = {},
  ): Stream<S> {
    const { builder, name: from, open } = this.handle;
    const { longs, ...common } = settings;
    const site = callSite();
    if (typeof predicate === 'string') {
      builder.add({ id, from, settings: { filter: predicate, longs }, common, site });
    } else {
      builder.add({ id, from, settings: { process: CODE, longs }, common, site });
      builder.addCode(id, 'filter', predicate as CodeByRole['filter']);
    }
    return open(id);
  }

  /** Makes rows of exactly these SQL expressions. */
  select<const E extends Expressions>(id: string, fields: E, settings?: StepSettings): Stream<Selected<S, E>> {
    const { builder, name: from, open } = this.handle;
    const select = builder.texts(id, fields);
    builder.add({ id, from, settings: { select }, common: settings, site: callSite() });
    return open(id);
  }

  /** Makes one row of each, with the fields of `schema`. */
  map<const Out extends Schema, L extends Longs = 'number'>(
    id: string,
    code: (row: RowOf<S, L>) => EmittedRow<NoInfer<Out>>,
    schema: Out,
    { longs, ...common }: CodeSettings<L> = {},
  ): Stream<Out> {
    const { builder, name: from, open } = this.handle;
    const settings = { process: CODE, schema: typesOf(schema), longs };
    builder.add({ id, from, settings, common, site: callSite() });
    builder.addCode(id, 'map', code as CodeByRole['map']);
    return open(id);
  }

  /** Makes as many rows of each as the function gives, with the fields of `schema`. */
  flatMap<const Out extends Schema, L extends Longs = 'number'>(
    id: string,
    code: (row: RowOf<S, L>) => Iterable<EmittedRow<NoInfer<Out>>>,
    schema: Out,
    settings?: CodeSettings<L>,
  ): Stream<Out>;
  /** Makes one row per element of the arrays that the SQL expressions give; the other fields stay. */
  flatMap<const E extends Expressions>(id: string, fields: E, settings?: StepSettings): Stream<Flattened<S, E>>;
  flatMap(
    id: string,
    what: Expressions | ((row: never) => Iterable<object>),
    second: Schema | StepSettings = {},
    third: CodeSettings = {},
  ): Stream<Schema> {
    const { builder, name: from, open } = this.handle;
    const site = callSite();
    if (typeof what === 'function') {
      const { longs, ...common } = third;
      const settings = { process: CODE, schema: typesOf(second as Schema), longs };
      builder.add({ id, from, settings, common, site });
      builder.addCode(id, 'flat-map', what as CodeByRole['flat-map']);
    } else {
      builder.add({ id, from, settings: { flatMap: builder.texts(id, what) }, common: second, site });
    }
    return open(id);
  }

  /** Pairs rows of both streams. Fields are named `STEP.FIELD`, or alone where only one side has them. */
  join<R extends Schema, const E extends Expressions = never, Type extends JoinType = 'inner'>(
    id: string,
    right: Stream<R, Sideways>,
    { parallelism, select, ...rest }: JoinSettings<Type, E>,
  ): Stream<Joined<S, R, Type, E>> {
    const { builder, name, open } = this.handle;
    const from = [name, builder.own(id, right.handle.builder, right.handle.name)];
    const fields = select === undefined ? undefined : builder.texts(id, select);
    const settings = { join: { ...rest, select: fields } };
    builder.add({ id, from, settings, common: { parallelism }, site: callSite() });
    return open(id);
  }

  /** Asks a table or a service per row; what is found is added to it. */
  lookup<const Found extends Schema>(
    id: string,
    settings: LookupSettings<Found>,
  ): Stream<Omit<S, keyof Found> & Found>;
  /** Asks a function, which may wait: called with the fields of `on`, it gives a row, several, or null. */
  lookup<const Found extends Schema>(
    id: string,
    code: LookupFunction<UserRow, EmittedRow<NoInfer<Found>>>,
    settings: CodeLookupSettings<Found>,
  ): Stream<Omit<S, keyof Found> & Found>;
  lookup(
    id: string,
    first: LookupSettings<Schema> | LookupFunction,
    second?: CodeLookupSettings<Schema>,
  ): Stream<Schema> {
    const { builder, name: from, open } = this.handle;
    const site = callSite();
    const given = typeof first === 'function' ? { connector: CODE, ...(second as CodeLookupSettings<Schema>) } : first;
    const { connector, schema, parallelism, ...rest } = given;
    const settings = { lookup: connector, schema: typesOf(schema), ...rest };
    builder.add({ id, from, settings, common: { parallelism }, site });
    if (typeof first === 'function') builder.addCode(id, 'lookup', first);
    return open(id);
  }

  /** The rows of all of them, which have the same fields. */
  union(id: string, others: readonly Stream<S, Sideways>[], settings?: StepSettings): Stream<S> {
    const { builder, name, open } = this.handle;
    const names = others.map(({ handle }) => builder.own(id, handle.builder, handle.name));
    builder.add({ id, from: [name, ...names], settings: { union: true }, common: settings, site: callSite() });
    return open(id);
  }

  /** Each row goes to the first stream whose SQL expression is TRUE, else to that of the name `otherwise`. */
  split<const C extends Conditions, const Otherwise extends string = never>(
    id: string,
    branches: C,
    otherwise?: Otherwise,
    settings?: StepSettings,
  ): { readonly [Name in (keyof C & string) | Otherwise]: Stream<S> } {
    const { builder, name: from, open } = this.handle;
    const split = { ...builder.texts(id, branches), else: otherwise };
    builder.add({ id, from, settings: { split }, common: settings, site: callSite() });
    const names = [...Object.keys(branches), ...(otherwise === undefined ? [] : [otherwise])];
    const streams = Object.fromEntries(names.map((name) => [name, open<S>(name)]));
    return streams as { readonly [Name in (keyof C & string) | Otherwise]: Stream<S> };
  }

  /** Writes the rows through a connector; returns the job, for `export default`. */
  sink(id: string, { connector, parallelism, ...rest }: SinkSettings): BuiltJob {
    const { builder, name: from } = this.handle;
    builder.add({ id, from, settings: { sink: connector, ...rest }, common: { parallelism }, site: callSite() });
    return builder;
  }
}
