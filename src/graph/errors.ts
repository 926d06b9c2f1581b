import { defineErrors } from '../core/index.ts';
import type { ErrorRow } from '../core/index.ts';

/** A mistake in a job file; all of them are reported at once, with their positions. */
const mistake = (message: string, help: string): ErrorRow => ({
  domain: 'user',
  scope: 'job',
  retry: 'never',
  message,
  help,
});

/** The rows of the file as text and as YAML. */
const fileErrors = {
  'MR-JOB-INVALID': mistake(
    '{file} has {count} problem(s); the first: {first}',
    'The job file was refused. `millrace lint` lists every problem with its line and column.',
  ),
  'MR-JOB-LIMIT': mistake(
    '{what} is {given}; the limit is {limit}',
    'Limits keep a damaged or hostile file from exhausting the memory of whoever reads it. Split the job, or shorten ' +
      'what the message names.',
  ),
  'MR-JOB-EMPTY': mistake(
    'the job file is empty',
    'A job file is a mapping with `name` and `steps`. `millrace create` writes a commented one to start from.',
  ),
  'MR-JOB-YAML': mistake(
    'this is not YAML: {problem}',
    'The text breaks the rules of YAML 1.2. Indent with spaces, close what was opened, and put values that begin or ' +
      "end with YAML's own characters in quotes.",
  ),
  'MR-JOB-YAML-CUT': mistake(
    'YAML cuts this value: {reason}',
    'In `{…}` and `[…]` a comma or a bracket ends a value, ` #` starts a comment, and `: ` makes a mapping. Put the ' +
      'whole value in double quotes, or write the block form (one `name: value` per line).',
  ),
  'MR-JOB-YAML-KEY': mistake(
    'a name must be a string, not {given}',
    'YAML reads unquoted true, null and numbers as values, not as text. Put the name in quotes.',
  ),
  'MR-JOB-YAML-FEATURE': mistake(
    '{feature} is not allowed in a job file',
    'Job files use plain YAML: one document of mappings, lists and scalars, aliases within limits; no tags, no merges.',
  ),
  'MR-JOB-DUPLICATE-KEY': mistake(
    '`{key}` stands here twice; the first is on line {line}',
    'A mapping has each name once. Remove one of them.',
  ),
  'MR-JOB-VARIABLE-MISSING': mistake(
    'the variable `{name}` is not set',
    'Set it with `--set NAME=value` or in the environment, or give a default: `${NAME:-default}`.',
  ),
  'MR-JOB-VARIABLE-SYNTAX': mistake(
    '`{given}` is not a variable',
    'Variables are `${NAME}` or `${NAME:-default}`, NAME of letters, digits and `_`. A literal `${` is written `$${`.',
  ),
} as const;

/** The rows of shape, names and values. */
const shapeErrors = {
  'MR-JOB-UNKNOWN-KEY': mistake(
    '{where} has no setting `{key}`',
    'Every setting is checked, so that none is ignored by mistake. The message names the nearest one; `millrace ' +
      'schema` describes them all.',
  ),
  'MR-JOB-MISSING-KEY': mistake('{where} needs `{key}`', 'A required setting is not there.'),
  'MR-JOB-WRONG-SHAPE': mistake('{what} must be {expected}, not {given}', 'A value has the wrong form.'),
  'MR-JOB-BAD-VALUE': mistake('{what} {problem}', 'A setting has a value that is not allowed.'),
  'MR-JOB-BAD-NAME': mistake(
    '{what} `{name}` is not allowed: {problem}',
    'Step ids have letters, digits, `_` and `-` and begin with a letter or `_`. Fields have no control characters.',
  ),
  'MR-JOB-UNSUPPORTED': mistake(
    '{what} is not supported by this version yet',
    'The setting belongs to the language, but this version cannot honour it, and nothing is ignored silently. Remove ' +
      'it, or use a version that supports it.',
  ),
  'MR-JOB-VERB': mistake(
    '{where} needs exactly one verb; it has {given}',
    'A step is one of: source, filter, select, flatMap, aggregate, join, dedupe, topN, process, union, split, sink. ' +
      'Make two steps of two verbs.',
  ),
  'MR-JOB-DUPLICATE-ID': mistake(
    'the id `{id}` is taken by the step on line {line}',
    'Ids name steps for `from:` and for their state; each is used once.',
  ),
  'MR-JOB-UNKNOWN-STEP': mistake('there is no step `{id}`', '`from:` names the ids of steps of the same file.'),
  'MR-JOB-FROM': mistake('{problem}', '`from:` names the steps whose rows a step reads.'),
  'MR-JOB-CYCLE': mistake(
    'these steps read each other in a circle: {path}',
    'Rows flow from sources to sinks. Change one `from:` of the circle.',
  ),
  'MR-JOB-UNUSED-STEP': mistake(
    'nothing reads the rows of `{id}`',
    'A step whose rows go nowhere is a mistake in `from:`, or missing a sink.',
  ),
  'MR-JOB-NO-SOURCE': mistake('the job has no source', 'A job begins with at least one step with the verb `source`.'),
  'MR-JOB-NO-SINK': mistake('the job has no sink', 'A job ends with at least one step with the verb `sink`.'),
} as const;

/** The rows of what steps mean: connectors, types, expressions. */
const meaningErrors = {
  'MR-JOB-UNKNOWN-CONNECTOR': mistake(
    'there is no {kind} connector `{name}`',
    '`millrace list connectors` shows what this build has.',
  ),
  'MR-JOB-UNKNOWN-FORMAT': mistake(
    'there is no format `{name}`',
    '`millrace list formats` shows what this build has.',
  ),
  'MR-JOB-FORMAT': mistake('{problem}', 'A format reads records, writes them, or both; some connectors take none.'),
  'MR-JOB-UNKNOWN-OPTION': mistake('{problem}', '`millrace list connectors` shows the options of every connector.'),
  'MR-JOB-MISSING-OPTION': mistake('{problem}', 'The connector cannot work without this option.'),
  'MR-JOB-BAD-OPTION': mistake('{problem}', 'An option of a connector or format has a value that is not allowed.'),
  'MR-JOB-SCHEMA': mistake(
    '{problem}',
    'A source declares the fields of its records under `schema:`, but where the connector or the format fixes them.',
  ),
  'MR-JOB-TYPE': mistake(
    '{problem}',
    'Types are boolean, int, long, float, double, decimal(p,s), string, bytes, date, time, timestamp, array<T>, ' +
      'map<K,V>, row<…> and json.',
  ),
  'MR-JOB-METADATA': mistake(
    'connector `{connector}` has no metadata `{name}`',
    '`metadata: {FIELD: NAME}` makes a field of the surroundings of a record, such as its key or its timestamp.',
  ),
  'MR-JOB-EXPRESSION': mistake(
    '{problem}',
    'An expression is SQL over the fields of the rows that reach the step. `millrace list functions` shows what it ' +
      'can use.',
  ),
  'MR-JOB-EXPRESSION-TYPE': mistake(
    '{what} must be {expected}, but is {given}',
    'Cast the expression with CAST(… AS type), or change it.',
  ),
  'MR-JOB-UNKNOWN-FIELD': mistake('there is no field `{name}` here', 'Names are those of rows that reach the step.'),
  'MR-JOB-DUPLICATE-FIELD': mistake(
    'the field `{name}` is there already: {other}',
    'Field names of a row are unique.',
  ),
  'MR-JOB-KEY-TYPE': mistake(
    '`{name}` cannot be a key: {type} has no equality to group by',
    'Keys are of a primitive type. Select a part of the value first, such as one field of it.',
  ),
  'MR-JOB-UNION-SCHEMA': mistake(
    'the inputs of a union must have the same fields: {difference}',
    'Add a `select` with equal names, types and order in front of each input.',
  ),
  'MR-JOB-CHANGELOG': mistake(
    '{problem}',
    'A running aggregation, a dedupe that keeps the last row and a window that fires again emit the newest row per ' +
      'key, again and again; a top-n and an outer join without bounds take rows back. Steps that would have to take ' +
      'back what they made of an earlier row, and sinks that can only append, do not take such rows.',
  ),
  'MR-JOB-CODE': mistake(
    '{problem}',
    'A `process` step names a file, by a path relative to the job file, and an export of it: `./fraud.ts#Detector`. ' +
      'The export is a class with a method process(row, context), or a function (row, context).',
  ),
  'MR-JOB-WINDOW': mistake(
    '{problem}',
    'A window is one of tumble, hop, cumulate, session and count. Durations divide evenly, so that windows are made ' +
      'of whole slices.',
  ),
  'MR-JOB-JOIN': mistake(
    '{problem}',
    'A join pairs rows of two steps: `from: [a, b]` with `on: a.x = b.y`, perhaps with more conditions, and perhaps ' +
      'within bounds of time: `within`, `window` or `temporal`.',
  ),
  'MR-JOB-EVENT-TIME': mistake(
    '{problem}',
    'Steps that reckon with time need to know when each row happened: `watermark: {field, delay}` on every source ' +
      'that they read. Running aggregations, top-N and joins without bounds have rows without a time of their own.',
  ),
  'MR-JOB-CHECKPOINT': mistake(
    '{problem}',
    'Output that is written exactly once becomes visible with a checkpoint. Say how often with `checkpoint: 10s` ' +
      'beside `steps`, or write with `delivery: at-least-once`.',
  ),
  'MR-JOB-STATE-MEMORY': mistake(
    '`state: {memory}` is {given}; the steps that keep state on the disk, {steps} of them, need at least {least}',
    'With `backend: disk` a slot divides `memory` evenly among the steps whose entries may leave it. Each needs ' +
      '4 MiB for the keys of a few batches and for the store itself. Give more, or leave `memory` out: it is 256 MiB ' +
      'then.',
  ),
  'MR-JOB-PARALLELISM': mistake(
    'parallelism {given} is more than the {limit} key groups of the job',
    'Keyed state is split in key groups; no more subtasks than groups can share them. Raise `maxParallelism` before ' +
      'the job has state, or lower the parallelism.',
  ),
} as const;

export const graphErrors = defineErrors({
  ...fileErrors,
  ...shapeErrors,
  ...meaningErrors,
  'MR-JOB-GRAPH-VERSION': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message: 'a job graph of version {given} cannot be read; this build reads version {expected}',
    help: 'The graph was made by another version of Millrace. Submit the job file again.',
  },
  'MR-JOB-GRAPH-INVALID': {
    domain: 'internal',
    scope: 'job',
    retry: 'never',
    message: 'a job graph is damaged: {path} {problem}',
    help: 'The stored or sent graph is not what was written. Submit the job file again.',
  },
});

export type JobProblemCode = Extract<keyof typeof graphErrors.rows, `MR-JOB-${string}`>;
