/**
 * The grammar of steps as data: which settings each verb has, what others call them, and which of them this version
 * cannot honour. Parsing, error messages and the JSON Schema are made from it.
 */
import type { OptionTable } from '../../core/index.ts';
import { lookupOptions, processOptions } from './step-options.ts';

export type Verb =
  | 'source'
  | 'filter'
  | 'select'
  | 'flatMap'
  | 'aggregate'
  | 'union'
  | 'split'
  | 'sink'
  | 'join'
  | 'dedupe'
  | 'topN'
  | 'process'
  | 'lookup'
  | 'predict';

export interface SettingRow {
  readonly doc: string;
  /** What Flink, Kafka, Beam and others call it: understood in messages, not accepted. */
  readonly aliases: readonly string[];
  readonly supported: boolean;
}

export interface VerbRow extends SettingRow {
  /** Settings beside `id`, `from`, `parallelism` and the verb itself. */
  readonly settings: Readonly<Record<string, SettingRow>>;
}

const setting = (doc: string, ...aliases: string[]): SettingRow => ({ doc, aliases, supported: true });
const later = (doc: string, ...aliases: string[]): SettingRow => ({ doc, aliases, supported: false });

/** Settings of a verb that are options of a table. */
const settingsOf = (table: OptionTable): Readonly<Record<string, SettingRow>> =>
  Object.fromEntries(Object.entries(table).map(([key, { doc, aliases = [] }]) => [key, setting(doc, ...aliases)]));

const WITH = setting('options of the connector and its format', 'config', 'options', 'properties', 'settings', 'args');
const KEY = setting('the fields that rows are grouped by', 'keys', 'key_by', 'group_by', 'partition_by');
const TTL = setting('how long after its last row a key is forgotten', 'table.exec.state.ttl', 'state.ttl', 'expire');
const WINDOW = setting('how rows are grouped by time or count', 'windowing', 'windows', 'window_by', 'tumble', 'hop');

export const commonSettings = {
  id: setting('the name of the step; its state is kept under it', 'name', 'uid', 'step', 'label'),
  from: setting('the step whose rows this one reads; else the step above', 'input', 'inputs', 'upstream', 'after'),
  parallelism: setting('how many subtasks this step runs in', 'tasks', 'workers', 'threads', 'tasks.max'),
} as const satisfies Readonly<Record<string, SettingRow>>;

export const verbs: Readonly<Record<Verb, VerbRow>> = {
  source: {
    ...setting('reads rows through a connector', 'read', 'consume', 'extract', 'connector', 'type'),
    settings: {
      with: WITH,
      schema: setting('the fields of a record and their types', 'fields', 'columns', 'types'),
      watermark: setting(
        'event time: the field, how late rows may be, when a quiet split is idle',
        'watermarks',
        'event_time',
        'rowtime',
        'timestamp_field',
      ),
      errors: setting(
        'what becomes of a record that cannot be processed: fail, skip or {to: TARGET}',
        'on_error',
        'onError',
        'error_handling',
        'errors.tolerance',
        'dead_letter',
        'dlq',
      ),
      metadata: setting("fields made of a record's surroundings: {FIELD: NAME}", 'headers', 'meta'),
    },
  },
  filter: {
    ...setting('keeps the rows for which the expression is TRUE', 'where', 'having', 'predicate', 'condition'),
    settings: {},
  },
  select: {
    ...setting('makes rows of exactly these fields', 'map', 'project', 'projection', 'mapping', 'transform'),
    settings: {},
  },
  flatMap: {
    ...setting('makes one row per element of arrays', 'flat_map', 'explode', 'unnest', 'flatten', 'flatMapValues'),
    settings: {},
  },
  aggregate: {
    ...setting('keeps running totals per key', 'agg', 'aggregations', 'reduce', 'combine', 'summarize', 'count'),
    settings: { key: KEY, window: WINDOW, ttl: TTL },
  },
  union: { ...setting('puts the rows of several steps together', 'merge', 'concat', 'flatten_inputs'), settings: {} },
  split: {
    ...setting('sends each row to the first step whose expression is TRUE', 'branch', 'switch', 'route', 'partition'),
    settings: {},
  },
  sink: {
    ...setting('writes rows through a connector', 'write', 'output', 'produce', 'load', 'to'),
    settings: { with: WITH },
  },
  join: { ...setting('pairs the rows of two steps', 'cogroup', 'connect', 'inner_join', 'intervalJoin'), settings: {} },
  dedupe: { ...setting('keeps one row per key', 'distinct', 'deduplicate', 'unique'), settings: {} },
  topN: { ...setting('keeps the first rows per key in an order', 'top', 'top_n', 'rank', 'limit'), settings: {} },
  process: {
    ...setting('runs TypeScript per row: ./FILE.ts#EXPORT, a class or a function', 'function', 'udf', 'script', 'code'),
    settings: {
      key: setting('the fields per whose values state and timers are kept', 'keys', 'key_by', 'keyBy', 'group_by'),
      schema: setting('the fields of the rows that the code emits, and their types', 'fields', 'columns', 'output'),
      sides: setting('where else it emits rows: {STEP: {FIELD: type}}', 'sideOutputs', 'side_outputs', 'outputs'),
      longs: setting(processOptions.longs.doc, ...processOptions.longs.aliases),
    },
  },
  lookup: {
    ...setting('asks a table or a service per row', 'enrich', 'asyncIO', 'async', 'lookupJoin'),
    settings: {
      with: WITH,
      on: setting('what a row is looked up by: {NAME: EXPR}', 'key', 'keys', 'by', 'request', 'params', 'arguments'),
      schema: setting('the fields of what is found, and their types', 'fields', 'columns', 'result', 'response'),
      ...settingsOf(lookupOptions),
      retry: setting(
        'how often it asks: ATTEMPTS, or {attempts, initial, max}',
        'retries',
        'max-retries',
        'retry-strategy',
      ),
      cache: setting(
        'how many answers are kept and how long: ROWS, or {rows, ttl, missing}; without it, none',
        'lookup.cache',
        'lookup.partial-cache.max-rows',
        'lookup.cache.max-rows',
      ),
    },
  },
  predict: { ...later('runs a model per row', 'model', 'infer', 'score'), settings: { with: WITH } },
};

export const verbNames = Object.freeze(Object.keys(verbs)) as readonly Verb[];
export const supportedVerbs: readonly Verb[] = Object.freeze(verbNames.filter((verb) => verbs[verb].supported));

export const topLevelSettings = {
  name: setting('the name of the job', 'pipeline.name', 'job', 'job_name', 'jobName', 'title'),
  parallelism: setting('how many subtasks each step runs in', 'parallelism.default', 'tasks.max', 'tasksMax'),
  maxParallelism: setting('the number of key groups', 'pipeline.max-parallelism', 'max-parallelism'),
  checkpoint: setting('how the state is saved', 'checkpointing', 'execution.checkpointing.interval', 'checkpoints'),
  restart: setting('what happens after a failure', 'restart-strategy', 'restart-strategy.type', 'retry', 'restarts'),
  rescale: setting('whether it takes as many slots as there are', 'scheduler-mode', 'jobmanager.scheduler'),
  state: setting('where steps keep what they remember', 'state.backend', 'state.backend.type', 'state-backend'),
  steps: setting('the steps of the job, from sources to sinks', 'pipeline', 'transforms', 'tasks', 'jobs', 'operators'),
} as const satisfies Readonly<Record<string, SettingRow>>;

/** The setting that others call `name`, or null. Exact, but for case and the separators `_`, `-`, `.`. */
export function settingForAlias(name: string, rows: Readonly<Record<string, SettingRow>>): string | null {
  const fold = (text: string) => text.toLowerCase().replace(/[_.\-\s]/g, '');
  const wanted = fold(name);
  const found = Object.entries(rows).find(([, row]) => row.aliases.some((alias) => fold(alias) === wanted));
  return found?.[0] ?? null;
}
