/** The tables of blocks inside steps. */
import { defineOptions } from '../../core/index.ts';
import type { OptionTable, OptionValue } from '../../core/index.ts';
import type { SettingRow } from './verbs.ts';

/** The block `watermark` of a source. */
export const watermarkOptions = defineOptions({
  field: {
    kind: 'string',
    required: true,
    aliases: ['rowtime', 'column', 'timestamp', 'time', 'event_time', 'eventTime', 'on'],
    doc: 'the timestamp field, declared or metadata, that says when a row happened',
  },
  delay: {
    kind: 'duration',
    default: '0s',
    aliases: ['maxOutOfOrderness', 'max_out_of_orderness', 'outOfOrderness', 'lag', 'bound', 'lateness'],
    doc: 'how much later a row may come than a younger one of its split',
  },
  idle: {
    kind: 'duration',
    aliases: ['idleness', 'idleTimeout', 'table.exec.source.idle-timeout', 'scan.watermark.idle-timeout'],
    doc: 'a split that is silent for so long holds nobody back; without it, it does',
  },
  drift: {
    kind: 'duration',
    aliases: ['maxDrift', 'max-drift', 'max_drift', 'align', 'scan.watermark.alignment.max-drift'],
    doc: 'how far the source may run ahead of the slowest one with a drift; further ahead, it is paused',
  },
});

const positive = (value: OptionValue): string | null => (value === 0 ? 'must be more than nothing' : null);

const size = {
  kind: 'duration',
  required: true,
  aliases: ['length', 'range', 'duration'],
  validate: positive,
  doc: 'how long a window is',
} as const;

const offset = {
  kind: 'duration',
  default: '0s',
  aliases: ['shift', 'align'],
  doc: 'how long after full multiples since 1970 in UTC windows begin, such as 6h for days from six to six',
} as const;

export type WindowKind = 'tumble' | 'hop' | 'cumulate' | 'session' | 'count';

/** What each kind of window takes, and the option that may stand alone: `tumble: 1m` is `tumble: {size: 1m}`. */
export const windowKinds = {
  tumble: { only: 'size', options: defineOptions({ size, offset }) },
  hop: {
    only: null,
    options: defineOptions({
      size,
      slide: {
        kind: 'duration',
        required: true,
        aliases: ['every', 'step', 'hop', 'period'],
        validate: positive,
        doc: 'how long after one window the next begins; `size` is a multiple of it',
      },
      offset,
    }),
  },
  cumulate: {
    only: null,
    options: defineOptions({
      step: {
        kind: 'duration',
        required: true,
        aliases: ['every', 'slide'],
        validate: positive,
        doc: 'by how much the window grows each time',
      },
      max: {
        kind: 'duration',
        required: true,
        aliases: ['size', 'maxSize', 'length'],
        validate: positive,
        doc: 'how long it becomes before the next begins; a multiple of `step`',
      },
      offset,
    }),
  },
  session: {
    only: 'gap',
    options: defineOptions({
      gap: {
        kind: 'duration',
        required: true,
        aliases: ['timeout', 'inactivity', 'idle', 'size'],
        validate: positive,
        doc: 'how long nothing comes for a key before its session is over',
      },
    }),
  },
  count: {
    only: 'size',
    options: defineOptions({
      size: {
        kind: 'integer',
        required: true,
        min: 1,
        max: 2 ** 31 - 1,
        aliases: ['rows', 'length'],
        doc: 'how many rows of a key a window has',
      },
    }),
  },
} as const satisfies Readonly<Record<WindowKind, { readonly only: string | null; readonly options: OptionTable }>>;

/** What may stand beside the kind of a window. */
export const windowOptions = defineOptions({
  lateness: {
    kind: 'duration',
    default: '0s',
    doc: 'rows that come so much after the window has fired still count: it fires again, and replaces its earlier row',
  },
  early: {
    kind: 'duration',
    validate: positive,
    doc: 'how often, by the clock, a window that has changed fires before its end; later rows replace earlier ones',
  },
});

/** The keys of a window block. */
export const windowSettings: Readonly<Record<WindowKind | 'lateness' | 'early' | 'late', SettingRow>> = {
  tumble: {
    doc: 'one window after the other: SIZE, or {size, offset}',
    aliases: ['tumbling', 'fixed', 'tumbling_window', 'size', 'every'],
    supported: true,
  },
  hop: {
    doc: 'windows that overlap: {size, slide, offset}',
    aliases: ['hopping', 'sliding', 'slide', 'hopping_window'],
    supported: true,
  },
  cumulate: {
    doc: 'windows that grow: {step, max, offset}',
    aliases: ['cumulative', 'cumulating', 'growing'],
    supported: true,
  },
  session: {
    doc: 'as long as rows of a key come: GAP, or {gap}',
    aliases: ['sessions', 'session_window', 'gap'],
    supported: true,
  },
  count: { doc: 'so many rows of a key', aliases: ['rows', 'count_window'], supported: true },
  lateness: {
    doc: windowOptions.lateness.doc,
    aliases: ['allowedLateness', 'allowed_lateness', 'grace', 'gracePeriod', 'table.exec.emit.allow-lateness'],
    supported: true,
  },
  early: {
    doc: windowOptions.early.doc,
    aliases: ['earlyFire', 'trigger', 'emitEarly', 'table.exec.emit.early-fire.delay'],
    supported: true,
  },
  late: {
    doc: 'the step that reads rows which come too late, or a name for its `from`; without it they are dropped',
    aliases: ['sideOutput', 'sideOutputLateData', 'lateTo', 'lateData'],
    supported: true,
  },
};

const key = {
  kind: 'list',
  aliases: ['keys', 'partitionBy', 'partition_by', 'groupBy', 'group_by', 'by', 'fields', 'on'],
  doc: 'the fields whose values rows are told apart by',
} as const;

/** What `dedupe` takes. */
export const dedupeOptions = defineOptions({
  key: { ...key, required: true },
  keep: {
    kind: 'enum',
    values: ['first', 'last'],
    default: 'first',
    aliases: ['order', 'which', 'mode'],
    doc: 'which row of a key stays; with `last`, rows replace earlier ones',
  },
  ttl: {
    kind: 'duration',
    aliases: ['table.exec.state.ttl', 'state.ttl', 'expire', 'within', 'retention'],
    validate: positive,
    doc: 'a key is forgotten so long after it was seen; without it, never',
  },
});

/** What running totals take beside `key`. */
export const aggregateOptions = defineOptions({
  ttl: {
    kind: 'duration',
    aliases: ['table.exec.state.ttl', 'state.ttl', 'expire', 'retention'],
    validate: positive,
    doc: 'a key is forgotten so long after its last row; without it, never',
  },
});

/** What `topN` takes. */
export const topNOptions = defineOptions({
  key: {
    ...key,
    aliases: ['keys', 'partitionBy', 'partition_by', 'groupBy', 'group_by', 'fields'],
    doc: 'the fields per whose values rows are ranked; without them, all together',
  },
  by: {
    kind: 'any',
    required: true,
    aliases: ['orderBy', 'order_by', 'sort', 'sortBy', 'sort_by', 'order'],
    doc: 'what rows are ordered by: `EXPR`, `EXPR desc`, or a list of such',
  },
  n: {
    kind: 'integer',
    required: true,
    min: 1,
    max: 1_000_000,
    aliases: ['limit', 'count', 'top', 'size', 'k', 'N'],
    doc: 'how many rows of a key stay',
  },
  rank: {
    kind: 'string',
    aliases: ['rowNum', 'row_number', 'rownum', 'rankField', 'as', 'position'],
    doc: 'a field that is added: the place of the row, from 1',
  },
});

/** What may stand beside `process`, its fields aside. */
export const processOptions = defineOptions({
  longs: {
    kind: 'enum',
    values: ['number', 'bigint'],
    default: 'number',
    aliases: ['bigint', 'long', 'integers'],
    doc: 'what a long is in rows: a number, where one beyond 2^53 - 1 is a record error, or a bigint',
  },
});

/** What `join` takes. */
export const joinOptions = defineOptions({
  type: {
    kind: 'enum',
    values: ['inner', 'left', 'right', 'full', 'semi', 'anti'],
    default: 'inner',
    aliases: ['kind', 'how', 'joinType', 'join_type', 'mode'],
    doc:
      'which rows without a partner stay: none, those of the left, of the right, of both; or left rows alone, that ' +
      'have a partner (semi) or have none (anti)',
  },
  on: {
    kind: 'string',
    required: true,
    aliases: ['condition', 'where', 'using', 'key', 'keys', 'predicate'],
    doc: 'the condition; at least one part of it is STEP.FIELD = STEP.FIELD',
  },
  within: {
    kind: 'any',
    aliases: ['interval', 'between', 'timeDifference', 'bounds'],
    doc: 'how far the times of two rows may be apart: {before, after}, or one duration for both',
  },
  window: { kind: 'any', aliases: ['windows', 'windowing'], doc: 'rows meet in the same window: {tumble: SIZE}' },
  temporal: {
    kind: 'boolean',
    default: false,
    aliases: ['asOf', 'as_of', 'versioned', 'for_system_time'],
    doc: 'each left row meets the newest right row of its key, as of its own time',
  },
  ttl: {
    kind: 'duration',
    aliases: ['table.exec.state.ttl', 'state.ttl', 'retention'],
    validate: positive,
    doc: 'rows of joins without bounds are forgotten so long after they came; without it, never',
  },
  select: {
    kind: 'any',
    aliases: ['fields', 'output', 'columns', 'project'],
    doc: 'the fields that leave: {FIELD: EXPR}; without it, those of both sides, as STEP_FIELD where they clash',
  },
});

/** The block `within` of a join. */
export const withinOptions = defineOptions({
  before: {
    kind: 'duration',
    default: '0s',
    aliases: ['earlier', 'lower', 'lowerBound', 'from'],
    doc: 'how long before the left row the right one may be',
  },
  after: {
    kind: 'duration',
    default: '0s',
    aliases: ['later', 'upper', 'upperBound', 'to'],
    doc: 'how long after the left row the right one may be',
  },
});

/** How a lookup asks; beside its verb. */
export const lookupOptions = defineOptions({
  type: {
    kind: 'enum',
    values: ['left', 'inner'],
    default: 'left',
    aliases: ['joinType', 'join_type', 'how', 'mode'],
    doc: 'what becomes of a row for which nothing is found: it stays, with NULLs (left), or is dropped (inner)',
  },
  ordered: {
    kind: 'boolean',
    default: true,
    aliases: ['order', 'outputMode', 'output-mode', 'table.exec.async-lookup.output-mode'],
    doc: 'whether rows leave in the order in which they came; else each as soon as it is answered',
  },
  capacity: {
    kind: 'integer',
    default: 100,
    min: 1,
    max: 100_000,
    aliases: ['maxInFlight', 'concurrency', 'buffer-capacity', 'table.exec.async-lookup.buffer-capacity'],
    doc: 'how many keys each subtask asks for at a time',
  },
  timeout: {
    kind: 'duration',
    default: '10s',
    min: 1,
    aliases: ['requestTimeout', 'request_timeout', 'table.exec.async-lookup.timeout'],
    doc: 'how long an attempt may take',
  },
});

/** The block `retry` of a lookup. */
export const lookupRetryOptions = defineOptions({
  attempts: {
    kind: 'integer',
    default: 3,
    min: 1,
    max: 1000,
    aliases: ['max', 'times', 'maxAttempts', 'max-attempts', 'retries'],
    doc: 'how often it asks in all, before the row is an error',
  },
  initial: {
    kind: 'duration',
    default: '100ms',
    aliases: ['delay', 'fixed-delay', 'backoff', 'initialDelay'],
    doc: 'the time to the second attempt; it doubles with each, and up to half of it is left out by chance',
  },
  max: {
    kind: 'duration',
    default: '5s',
    aliases: ['maxDelay', 'max-delay', 'maxBackoff'],
    doc: 'the longest time between two attempts',
  },
});

/** The block `cache` of a lookup. */
export const lookupCacheOptions = defineOptions({
  rows: {
    kind: 'integer',
    required: true,
    min: 1,
    max: 100_000_000,
    aliases: ['size', 'maxRows', 'max-rows', 'lookup.partial-cache.max-rows'],
    doc: 'how many keys each subtask keeps the answer of; those that were not asked for lately are forgotten first',
  },
  ttl: {
    kind: 'duration',
    aliases: ['expireAfterWrite', 'expire-after-write', 'lookup.partial-cache.expire-after-write', 'expire'],
    validate: positive,
    doc: 'an answer counts so long; without it, for as long as the job runs',
  },
  missing: {
    kind: 'boolean',
    default: true,
    aliases: ['cacheMissing', 'cache-missing-key', 'lookup.partial-cache.cache-missing-key', 'negative'],
    doc: 'whether it is kept, too, that nothing was found',
  },
});

const otherWindow = (aliases: readonly string[]): SettingRow => ({
  doc: 'in joins, windows are tumbling ones',
  aliases,
  supported: false,
});

/** The keys of the block `window` of a join. */
export const joinWindowSettings: Readonly<Record<string, SettingRow>> = {
  tumble: windowSettings.tumble,
  hop: otherWindow(windowSettings.hop.aliases),
  cumulate: otherWindow(windowSettings.cumulate.aliases),
  session: otherWindow(windowSettings.session.aliases),
};
