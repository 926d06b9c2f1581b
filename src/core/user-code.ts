/**
 * Code that users write in TypeScript, and what it may remember. Part of the published package: `millrace` exports
 * these types. Modelled on Flink's KeyedProcessFunction (FLIP-22 timers, keyed state of one key at a time).
 *
 * Everything is synchronous and on the subtask's thread: a call that waits stops the subtask. What waits for a service
 * is the `lookup` step.
 *
 * A row is a plain object with the fields of the step's schema, always in the same shape:
 *
 * | type | in a row |
 * |---|---|
 * | any, where it is NULL | null |
 * | boolean | boolean |
 * | int, float, double | number |
 * | long | number; beyond ±(2^53 - 1) a record error, unless the step says `longs: bigint`, which makes all bigint |
 * | timestamp | number: ms since 1970-01-01T00:00Z |
 * | date, time, decimal | string: `2026-11-23`, `12:30:00.000`, `12.50` |
 * | string | string |
 * | json | the parsed value |
 * | bytes | Uint8Array, a copy |
 * | array | array |
 * | map | Map |
 * | row | object |
 *
 * What is emitted is read by the same table; numbers and strings are also taken where they stand for the field's type
 * (a bigint or number for long, a number or Date for timestamp). A missing field is NULL; a field that the schema does
 * not have, or a value that does not fit, is a record error of the row (or timer) that was being processed.
 */
export type UserRow = Readonly<Record<string, unknown>>;

/**
 * Where code is. Plain data: every slot's thread imports it by itself, and nothing of a thread's memory is shared.
 *
 * `step` null: the export is the code itself (ProcessExport, or what the node's role says). Else the export is a job of
 * the TypeScript API, an object with CodeOfSteps, and the code is `codeOf(step)` of it.
 */
export interface CodeReference {
  /** A `file:` URL of an ES module, TypeScript or JavaScript. */
  readonly module: string;
  /** The name of the export. */
  readonly name: string;
  /** Where the export is a job of the TypeScript API: the step of it whose code is meant. Else null. */
  readonly step: string | null;
  /** Of jobs of the TypeScript API. */
  readonly origin?: JobOrigin;
}

/** What tells an import of a job module which job was submitted. */
export interface JobOrigin {
  /** A hash of the steps and their settings: an import that makes other ones is refused. */
  readonly fingerprint: string;
  /** The variables that the module has asked for, for a job that is a function of its environment. */
  readonly variables: Readonly<Record<string, string>>;
}

/** What a job object of the TypeScript API offers, so that other threads find the code of its steps. */
export interface CodeOfSteps {
  /** The function or class of a step: the same for the same step each time that the module is imported. */
  codeOf(stepId: string): unknown;
}

/** Imports code; handed to operators by the composition root. Rejects with an error of a table (MR-CODE-…). */
export type CodeLoader = (reference: CodeReference) => Promise<unknown>;

/**
 * What a module exports for a `lookup` step: called with the fields of the step's `on`; resolves to what is found, a
 * row with the fields of its `schema` or several, or to null. Many calls are pending at a time. One that throws is
 * called again as the step's `retry` says; `signal` is aborted once nobody waits any more.
 */
export type LookupFunction<Key extends object = UserRow, Found extends object = UserRow> = (
  key: Key,
  call: { readonly signal: AbortSignal },
) => Promise<Found | readonly Found[] | null> | Found | readonly Found[] | null;

/** What one key remembers under one name. Only while a call of the function for that key runs. */
export interface ValueState<T> {
  /** Undefined where nothing is kept. What it returns is the state's own: set() makes changes of objects count. */
  get(): T | undefined;
  set(value: T): void;
  clear(): void;
}

export interface ListState<T> extends Iterable<T> {
  readonly length: number;
  add(value: T): void;
  set(values: readonly T[]): void;
  clear(): void;
}

export interface MapState<K extends string | number, V> extends Iterable<[K, V]> {
  readonly size: number;
  get(key: K): V | undefined;
  has(key: K): boolean;
  set(key: K, value: V): void;
  delete(key: K): void;
  clear(): void;
}

export interface StateOptions {
  /**
   * What was kept is forgotten so long after it was last written (a duration such as `1h`), by event time where the
   * step has it, else by the clock. Memory is freed, not just hidden. Default: never.
   */
  readonly ttl?: string;
}

/** What open() gets. State is declared here, and only here: the names and kinds are part of the step's state schema. */
export interface ProcessSetup {
  readonly stepId: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  /** Values survive structured cloning: objects, arrays, maps, sets, dates, bigints, typed arrays; no functions. */
  valueState<T>(name: string, options?: StateOptions): ValueState<T>;
  listState<T>(name: string, options?: StateOptions): ListState<T>;
  mapState<K extends string | number, V>(name: string, options?: StateOptions): MapState<K, V>;
  /** A counter of the step, shown with its metrics. */
  counter(name: string): { value: number };
}

/** What process() and onTimer() get. One object, reused for all calls. */
export interface ProcessContext<Out extends object = UserRow> {
  /** The key's fields, as an object; empty without a key. */
  readonly key: UserRow;
  /** Event time in ms of the row or timer; null where there is none. */
  readonly timestamp: number | null;
  /** The event time that the step has reached: no row that is not late is older. -Infinity before the first. */
  readonly watermark: number;
  /** The clock, in ms. */
  readonly now: number;
  emit(row: Out): void;
  /** To the step that is named under `sides` of this one. */
  emitTo(side: string, row: object): void;
  /** onTimer() is called for this key once the watermark has reached `timestamp`. Setting it again changes nothing. */
  setEventTimer(timestamp: number): void;
  deleteEventTimer(timestamp: number): void;
  /** onTimer() is called for this key once the clock has reached `timestamp`. */
  setTimer(timestamp: number): void;
  deleteTimer(timestamp: number): void;
}

export interface FiredTimer {
  readonly timestamp: number;
  readonly isEventTime: boolean;
}

/**
 * A step in TypeScript. One object per subtask: open(), then process() and onTimer() in turn, then close(), which also
 * follows a failure. After a restart the state and the timers of every key are as they were at the checkpoint.
 */
export interface ProcessFunction<In extends object = UserRow, Out extends object = UserRow> {
  open?(setup: ProcessSetup): void | Promise<void>;
  process(row: In, context: ProcessContext<Out>): void;
  onTimer?(timer: FiredTimer, context: ProcessContext<Out>): void;
  close?(): void | Promise<void>;
}

/**
 * What a module exports for a `process` step: a class, of which every subtask makes one object, or a function that is
 * called per row and remembers nothing.
 */
export type ProcessExport<In extends object = UserRow, Out extends object = UserRow> =
  | (new () => ProcessFunction<In, Out>)
  | ((row: In, context: ProcessContext<Out>) => void);

/**
 * What the code of a process node is, by its role. All but the first are functions of the row alone, called once per
 * row in order: what a `map`, `filter` or `flatMap` of the TypeScript API is compiled to.
 */
export interface CodeByRole {
  readonly process: ProcessExport;
  /** One row of the output per row. */
  readonly map: (row: UserRow) => object;
  /** Rows for which it is true pass on as they are; output and input are of one schema. */
  readonly filter: (row: UserRow) => boolean;
  /** As many rows of the output as it gives. */
  readonly 'flat-map': (row: UserRow) => Iterable<object>;
}

export type CodeRole = keyof CodeByRole;

/** What the code of any step may be. */
export interface CodeOfStep extends CodeByRole {
  readonly lookup: LookupFunction;
}

export type StepRole = keyof CodeOfStep;
