import type { ProcessExport } from '../core/index.ts';
import { callSite } from './call-site.ts';
import { CODE } from './job-builder.ts';
import type { JobBuilder } from './job-builder.ts';
import type { Aggregated, Expressions } from './expressions.ts';
import type { EmittedRow, long, Longs, RowOf, Schema } from './field-types.ts';
import type { NoSides, ProcessSettings, Sideways, StepSettings, TopNSettings, WindowSettings } from './settings.ts';
import type { Stream } from './stream.ts';
import { WindowedStream } from './windowed-stream.ts';

/** A stream as its verbs see it: the job, what `from` says, and how further streams of the job are made. */
export interface StreamHandle {
  readonly builder: JobBuilder;
  readonly name: string;
  readonly open: <S extends Schema, Sides extends Sideways = NoSides>(name: string) => Stream<S, Sides>;
}

/** The verbs that work per key; without a key, on all rows together. */
export class GroupedStream<S extends Schema, Key extends keyof S> {
  protected readonly handle: StreamHandle;
  protected readonly keys: readonly string[];

  constructor(handle: StreamHandle, keys: readonly string[]) {
    this.handle = handle;
    this.keys = keys;
  }

  /** Running totals: with every row, the newest ones of its key. */
  aggregate<const E extends Expressions>(id: string, calls: E, settings?: StepSettings): Stream<Aggregated<S, Key, E>> {
    const { builder, name: from, open } = this.handle;
    const aggregate = builder.texts(id, calls);
    builder.add({ id, from, settings: { key: this.key, aggregate }, common: settings, site: callSite() });
    return open(id);
  }

  /** Groups rows by time or count; an aggregate() follows. */
  window<const Late extends string = never>(window: WindowSettings<Late>): WindowedStream<S, Key, Late> {
    return new WindowedStream(this.handle, this.key, window);
  }

  /** Runs code that may remember things per key and set timers: a class, or a function per row. */
  process<const Out extends Schema, const Sides extends Sideways = NoSides, L extends Longs = 'number'>(
    id: string,
    code: ProcessExport<RowOf<S, NoInfer<L>>, EmittedRow<NoInfer<Out>>>,
    { schema, sides, longs, ...common }: ProcessSettings<Out, Sides, L>,
  ): Stream<Out, Sides> {
    const { builder, name: from, open } = this.handle;
    const sideFields = sides === undefined ? undefined : mapValues(sides, typesOf);
    const settings = { key: this.key, process: CODE, schema: typesOf(schema), sides: sideFields, longs };
    builder.add({ id, from, settings, common, site: callSite() });
    builder.addCode(id, 'process', code as unknown as ProcessExport);
    return open(id);
  }

  /** Keeps the first `n` rows in the order of `by`. */
  topN<const Rank extends string = never>(
    id: string,
    { by, n, rank, parallelism, ...rest }: TopNSettings<Rank>,
  ): Stream<S & { readonly [Name in Rank]: typeof long }> {
    const { builder, name: from, open } = this.handle;
    const settings = { topN: { key: this.key, by, n, rank, ...rest } };
    builder.add({ id, from, settings, common: { parallelism }, site: callSite() });
    return open(id);
  }

  protected get key(): readonly string[] | undefined {
    return this.keys.length === 0 ? undefined : this.keys;
  }
}

/** The types of fields, as a job file spells them. */
export function typesOf(schema: Schema): Readonly<Record<string, string>> {
  return mapValues(schema, ({ text }) => text);
}

function mapValues<V, R>(record: Readonly<Record<string, V>>, make: (value: V) => R): Readonly<Record<string, R>> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, make(value)]));
}
