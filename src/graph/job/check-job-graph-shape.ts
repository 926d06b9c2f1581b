/** Checks that parsed JSON is a job graph: every member there, every reference inside. */
import { checkReferences, refuse } from './check-references.ts';
import type { JobGraph } from './job-graph.ts';

type Shape = (value: unknown, path: string) => void;

const text: Shape = (value, path) => {
  if (typeof value !== 'string') refuse(path, 'is not a string');
};
const flag: Shape = (value, path) => {
  if (typeof value !== 'boolean') refuse(path, 'is not true or false');
};
const id: Shape = (value, path) => {
  if (typeof value !== 'string' || !/^[0-9a-f]{32}$/.test(value)) refuse(path, 'is not an id of 32 hexadecimal digits');
};
const count: Shape = (value, path) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) refuse(path, 'is not a number from 1');
};
const index: Shape = (value, path) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) refuse(path, 'is not an index');
};
const anything: Shape = (value, path) => {
  if (value === undefined) refuse(path, 'is missing');
};

const number: Shape = (value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) refuse(path, 'is not a number from 0');
};

function oneOf(...allowed: readonly string[]): Shape {
  return (value, path) => {
    if (typeof value !== 'string' || !allowed.includes(value)) refuse(path, `is not one of ${allowed.join(', ')}`);
  };
}

function orNull(shape: Shape): Shape {
  return (value, path) => {
    if (value !== null) shape(value, path);
  };
}

function list(item: Shape): Shape {
  return (value, path) => {
    if (!Array.isArray(value)) refuse(path, 'is not a list');
    value.forEach((each, position) => item(each, `${path}[${position}]`));
  };
}

type Shapes = Readonly<Record<string, Shape>>;

function object(members: Shapes, optional: Shapes = {}): Shape {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(path, 'is not an object');
    const record = value as Readonly<Record<string, unknown>>;
    for (const [key, shape] of Object.entries(members)) {
      if (!Object.hasOwn(record, key)) refuse(`${path}.${key}`, 'is missing');
      shape(record[key], `${path}.${key}`);
    }
    for (const [key, shape] of Object.entries(optional)) {
      if (Object.hasOwn(record, key)) shape(record[key], `${path}.${key}`);
    }
  };
}

function variant(kinds: Readonly<Record<string, Shape>>): Shape {
  return (value, path) => {
    object({ kind: oneOf(...Object.keys(kinds)) })(value, path);
    kinds[(value as { kind: string }).kind]?.(value, path);
  };
}

/** Shapes that contain themselves are looked up when they are used. */
const later = (shape: () => Shape): Shape => (value, path) => shape()(value, path);

const nothingMore = object({});
const type: Shape = later(() => typeShape);
const field = object({ name: text, type });
const simpleKinds = 'boolean int long float double string bytes date time timestamp json'.split(' ');
const typeShape = variant({
  ...Object.fromEntries(simpleKinds.map((kind) => [kind, nothingMore])),
  decimal: object({ precision: count, scale: index }),
  array: object({ element: type }),
  map: object({ key: type, value: type }),
  row: object({ fields: list(field) }),
});
const schema = object({ fields: list(field) });

const expression: Shape = later(() => expressionShape);
const expressions = list(expression);
const expressionShape = variant({
  column: object({ index, name: text, type }),
  literal: object({ type, value: anything }),
  call: object({ overload: text, args: expressions, type }),
  case: object({ branches: list(object({ when: expression, then: expression })), otherwise: expression, type }),
  cast: object({ arg: expression, safe: flag, type }),
  logic: object({ operator: oneOf('and', 'or', 'not'), args: expressions, type }),
  'is-null': object({ arg: expression, negated: flag, type }),
  coalesce: object({ args: expressions, type }),
});

const named = list(object({ name: text, expression }));
const transformStep = variant({
  filter: object({ stepId: text, predicate: expression }, { splitsUpdates: flag }),
  select: object({ stepId: text, fields: named }),
  'flat-map': object({ stepId: text, fields: named, kept: list(index) }),
});
const AGGREGATES = 'count sum min max avg first last array-agg approx-count-distinct approx-quantile'.split(' ');
const call = object(
  {
    name: text,
    function: oneOf(...AGGREGATES),
    argument: orNull(expression),
    distinct: flag,
    filter: orNull(expression),
    type,
  },
  { quantile: number },
);
const format = orNull(object({ name: text, options: nothingMore }));
const changelog = oneOf('append', 'upsert', 'retract');
const sourceSpec = object({
  stepId: text,
  connector: text,
  options: nothingMore,
  format,
  schema,
  metadata: list(object({ name: text, key: text, type })),
  projection: list(index),
  filters: list(object({ stepId: text, predicate: expression })),
  errors: variant({ fail: nothingMore, skip: nothingMore, 'dead-letter': object({ target: text }) }),
});
const sinkSpec = object({
  stepId: text,
  connector: text,
  options: nothingMore,
  format,
  input: schema,
  changelog,
  uniqueKey: list(index),
});
const watermark = object({ column: index, delayMs: index, idleMs: orNull(index) }, { maxDriftMs: index });
const window = variant({
  tumble: object({ sizeMs: count, offsetMs: index }),
  hop: object({ sizeMs: count, slideMs: count, offsetMs: index }),
  cumulate: object({ stepMs: count, maxMs: count, offsetMs: index }),
  session: object({ gapMs: count }),
  count: object({ size: count }),
});
const windowField = variant({
  key: object({ key: index }),
  call: object({ call: index }),
  'window-start': nothingMore,
  'window-end': nothingMore,
});
const bounds = variant({
  interval: object({ beforeMs: index, afterMs: index }),
  window: object({ sizeMs: count, offsetMs: index }),
  temporal: nothingMore,
});
const origin = object({ fingerprint: text, variables: anything });
const code = object({ module: text, name: text, step: orNull(text) }, { origin });
const chainNode = variant({
  source: object({ spec: sourceSpec, output: schema, watermark: orNull(watermark) }),
  transform: object({ steps: list(transformStep), input: schema, output: schema }),
  aggregate: object(
    { stepId: text, keys: list(index), calls: list(call), input: schema, output: schema },
    { retracts: flag, ttlMs: count },
  ),
  normalise: object({ stepId: text, keys: list(index), input: schema, output: schema }),
  window: object({
    stepId: text,
    keys: list(index),
    calls: list(call),
    window,
    latenessMs: index,
    earlyMs: orNull(count),
    fields: list(windowField),
    input: schema,
    output: schema,
  }),
  join: object(
    {
      stepId: text,
      type: oneOf('inner', 'left', 'right', 'full', 'semi', 'anti'),
      leftKeys: list(index),
      rightKeys: list(index),
      condition: orNull(expression),
      bounds: orNull(bounds),
      ttlMs: orNull(count),
      left: schema,
      right: schema,
      output: schema,
    },
    { retracts: flag },
  ),
  dedupe: object({
    stepId: text,
    keys: list(index),
    keep: oneOf('first', 'last'),
    ttlMs: orNull(count),
    input: schema,
    output: schema,
  }),
  'top-n': object(
    {
      stepId: text,
      keys: list(index),
      by: list(object({ column: index, descending: flag })),
      count,
      hasRank: flag,
      input: schema,
      output: schema,
    },
    { retracts: flag },
  ),
  process: object({
    stepId: text,
    code,
    role: oneOf('process', 'map', 'filter', 'flat-map'),
    keys: list(index),
    longs: oneOf('number', 'bigint'),
    sides: list(object({ name: text, schema })),
    hasEventTime: flag,
    input: schema,
    output: schema,
  }),
  lookup: object({
    stepId: text,
    spec: object({ stepId: text, connector: text, options: nothingMore, format, keys: schema, schema }),
    code: orNull(code),
    keys: list(index),
    kept: list(index),
    found: list(index),
    type: oneOf('left', 'inner'),
    isOrdered: flag,
    capacity: count,
    timeoutMs: count,
    retry: object({ attempts: count, initialMs: index, maxMs: index }),
    cache: orNull(object({ rows: count, ttlMs: orNull(count), keepsMissing: flag })),
    input: schema,
    output: schema,
  }),
  union: object({ stepId: text, input: schema, output: schema }),
  sink: object({ spec: sinkSpec, input: schema }),
});
const exchange = variant({
  forward: nothingMore,
  rebalance: nothingMore,
  hash: object({ keys: list(index) }),
  broadcast: nothingMore,
});
const stateSettings = object({ backend: oneOf('memory', 'disk'), memoryBytes: orNull(count) });
const checkpoint = object(
  {
    intervalMs: count,
    mode: oneOf('exactly-once', 'at-least-once'),
    timeoutMs: count,
    minPauseMs: index,
    tolerableFailures: index,
    retained: count,
  },
  { alignmentTimeoutMs: index, storage: object({ location: orNull(text), s3: nothingMore }) },
);
const restart = variant({
  none: nothingMore,
  'fixed-delay': object({ attempts: count, delayMs: index }),
  'exponential-delay': object({ initialMs: count, maxMs: count, multiplier: number, jitter: number, resetMs: count }),
  'failure-rate': object({ failures: count, intervalMs: count, delayMs: index }),
});
const rescale = object({
  minParallelism: count,
  maxParallelism: count,
  stabilizationMs: index,
  minIntervalMs: index,
  resourceWaitMs: index,
});
const jobGraph = object(
  {
    version: count,
    name: text,
    maxParallelism: count,
    checkpoint: orNull(checkpoint),
    restart,
    vertices: list(
      object({ id, name: text, parallelism: count, chain: list(chainNode), inputs: list(id), outputs: list(id) }),
    ),
    edges: list(
      object(
        { id, from: id, to: id, exchange, schema, changelog, uniqueKeys: list(list(index)) },
        { side: text },
      ),
    ),
  },
  { state: stateSettings, rescale },
);

/** Returns the value as a job graph, or throws MR-JOB-GRAPH-INVALID with the path of what is wrong. */
export function checkJobGraphShape(value: unknown): JobGraph {
  jobGraph(value, 'graph');
  const graph = value as JobGraph;
  checkReferences(graph);
  return graph;
}
