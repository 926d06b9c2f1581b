/**
 * The JSON Schema (draft 2020-12) of job files, for editors: names, shapes and options with their docs. What it accepts
 * is a little more than what lint accepts, since schemas know nothing of types, expressions and other steps.
 */
import type {
  ConnectorCatalog,
  FormatDefinition,
  LookupConnector,
  OptionRow,
  OptionTable,
  OptionValue,
  SinkConnector,
  SourceConnector,
} from '../../core/index.ts';
import {
  checkpointOptions,
  jobOptions,
  rescaleOptions,
  restartOptions,
  restartStrategies,
  s3Options,
  stateOptions,
} from '../options.ts';
import type { RestartStrategyName } from '../options.ts';
import {
  dedupeOptions,
  joinOptions,
  processOptions,
  lookupCacheOptions,
  lookupOptions,
  lookupRetryOptions,
  topNOptions,
  watermarkOptions,
  windowKinds,
  windowOptions,
  windowSettings,
  withinOptions,
} from '../spec/step-options.ts';
import type { WindowKind } from '../spec/step-options.ts';
import { commonSettings, supportedVerbs, topLevelSettings, verbs } from '../spec/verbs.ts';
import type { Verb } from '../spec/verbs.ts';

type Connector = SourceConnector | SinkConnector | LookupConnector;
export type JsonSchema = { readonly [key: string]: unknown };

/** A value that is a variable when the schema is checked and anything when the job is read. */
const VARIABLE: JsonSchema = { type: 'string', pattern: '\\$\\{' };
const EXPRESSION: JsonSchema = { type: ['string', 'number', 'boolean'], description: 'a SQL expression' };
const FIELDS: JsonSchema = { type: 'object', minProperties: 1, additionalProperties: EXPRESSION };
const STEP_ID: JsonSchema = { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_-]*$' };
const STEP_REFERENCE: JsonSchema = { anyOf: [STEP_ID, VARIABLE] };

export function jobSchema(catalog: ConnectorCatalog): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Millrace job file',
    type: 'object',
    required: ['name', 'steps'],
    additionalProperties: false,
    properties: {
      name: { type: 'string', minLength: 1, description: 'the name of the job' },
      parallelism: optionSchema(jobOptions.parallelism),
      maxParallelism: optionSchema(jobOptions.maxParallelism),
      checkpoint: {
        description: topLevelSettings.checkpoint.doc,
        anyOf: [{ const: 'none' }, optionSchema(checkpointOptions.interval), checkpointSchema()],
      },
      restart: {
        description: topLevelSettings.restart.doc,
        anyOf: [orVariable({ enum: restartStrategies }), ...restartStrategies.map(strategySchema)],
      },
      rescale: {
        description: topLevelSettings.rescale.doc,
        anyOf: [orVariable({ const: 'reactive' }), blockSchema(rescaleOptions)],
      },
      state: { description: topLevelSettings.state.doc, ...blockSchema(stateOptions) },
      steps: {
        type: 'array',
        minItems: 1,
        description: 'the steps of the job, from sources to sinks',
        items: { $ref: '#/$defs/step' },
      },
    },
    $defs: {
      step: {
        type: 'object',
        required: ['id'],
        oneOf: supportedVerbs.map((verb) => ({ $ref: `#/$defs/${verb}` })),
      },
      ...Object.fromEntries(supportedVerbs.map((verb) => [verb, verbSchema(verb, catalog)])),
    },
  };
}

function closed(properties: JsonSchema, required: readonly string[]): JsonSchema {
  return { type: 'object', properties, required, additionalProperties: false };
}

/** A mapping of exactly the options of a table. */
function blockSchema(table: OptionTable): JsonSchema & { readonly properties: JsonSchema } {
  return { type: 'object', ...tableSchema(table), additionalProperties: false };
}

function checkpointSchema(): JsonSchema {
  const { properties, ...rest } = blockSchema(checkpointOptions);
  const s3 = { description: checkpointOptions.s3.doc, ...blockSchema(s3Options) };
  return { ...rest, properties: { ...properties, s3 } };
}

function strategySchema(strategy: RestartStrategyName): JsonSchema {
  const { properties, ...rest } = blockSchema(restartOptions[strategy]);
  return { ...rest, properties: { ...properties, strategy: { const: strategy } } };
}

function verbSchema(verb: Verb, catalog: ConnectorCatalog): JsonSchema {
  const { settings, doc } = verbs[verb];
  const supported = Object.entries(settings).filter(([, row]) => row.supported);
  const properties: Record<string, unknown> = {
    id: { ...STEP_ID, description: commonSettings.id.doc },
    parallelism: { ...optionSchema(jobOptions.parallelism), description: commonSettings.parallelism.doc },
    [verb]: { description: doc, ...valueOf(verb, catalog) },
    ...Object.fromEntries(supported.map(([key, row]) => [key, { description: row.doc, ...settingSchema(key) }])),
  };
  if (verb !== 'source') {
    properties.from = { description: commonSettings.from.doc, ...inputsOf(verb) };
  }
  const schema = closed(properties, ['id', verb, ...(REQUIRED[verb] ?? [])]);
  const takesConnector = verb === 'source' || verb === 'sink' || verb === 'lookup';
  return takesConnector ? { ...schema, allOf: connectorRules(verb, catalog) } : schema;
}

const REQUIRED: Readonly<Partial<Record<Verb, readonly string[]>>> = {
  join: ['from'],
  lookup: ['on', 'schema'],
  process: ['schema'],
};

function inputsOf(verb: Verb): JsonSchema {
  const several = { type: 'array', items: STEP_REFERENCE, minItems: 2 };
  if (verb === 'union') return several;
  if (verb === 'join') return { ...several, maxItems: 2 };
  return { anyOf: [STEP_REFERENCE, { type: 'array', items: STEP_REFERENCE, minItems: 1, maxItems: 1 }] };
}

function valueOf(verb: Verb, catalog: ConnectorCatalog): JsonSchema {
  switch (verb) {
    case 'source':
      return { anyOf: [{ enum: [...catalog.sources.keys()] }, VARIABLE] };
    case 'sink':
      return { anyOf: [{ enum: [...catalog.sinks.keys()] }, VARIABLE] };
    case 'lookup':
      return { anyOf: [{ enum: [...(catalog.lookups?.keys() ?? [])] }, { type: 'string', pattern: '#' }, VARIABLE] };
    case 'filter':
      return EXPRESSION;
    case 'union':
      return { anyOf: [{ type: 'null' }, { const: true }, { type: 'array', items: STEP_REFERENCE, minItems: 2 }] };
    case 'split':
      return {
        type: 'object',
        minProperties: 1,
        properties: { else: STEP_ID },
        propertyNames: STEP_ID,
        additionalProperties: EXPRESSION,
      };
    case 'process':
      return { type: 'string', pattern: '#' };
    case 'join':
      return joinSchema();
    case 'dedupe':
      return withKey(dedupeOptions);
    case 'topN': {
      const { properties, ...rest } = withKey(topNOptions);
      const several = { type: 'array', items: EXPRESSION, minItems: 1 };
      const by = { description: topNOptions.by.doc, anyOf: [EXPRESSION, several] };
      return { ...rest, properties: { ...properties, by } };
    }
    default:
      return FIELDS;
  }
}

function withKey(table: OptionTable): ReturnType<typeof blockSchema> {
  const { properties, ...rest } = blockSchema(table);
  const key = { description: table['key']?.doc, ...settingSchema('key') };
  return { ...rest, properties: { ...properties, key } };
}

function joinSchema(): JsonSchema {
  const { properties, ...rest } = blockSchema(joinOptions);
  const bounds = {
    within: {
      description: joinOptions.within.doc,
      anyOf: [optionSchema(withinOptions.before), { ...blockSchema(withinOptions), minProperties: 1 }],
    },
    window: { description: joinOptions.window.doc, ...closed({ tumble: windowKindSchema('tumble') }, ['tumble']) },
    select: { description: joinOptions.select.doc, ...FIELDS },
    on: { description: joinOptions.on.doc, ...EXPRESSION },
  };
  return { ...rest, properties: { ...properties, ...bounds } };
}

function settingSchema(key: string): JsonSchema {
  switch (key) {
    case 'schema':
      return {
        type: 'object',
        minProperties: 1,
        additionalProperties: { type: 'string', description: 'a type, such as string or decimal(10,2)' },
      };
    case 'metadata':
      return { type: 'object', minProperties: 1, additionalProperties: { type: 'string' } };
    case 'sides':
      return {
        type: 'object',
        minProperties: 1,
        propertyNames: STEP_ID,
        additionalProperties: settingSchema('schema'),
      };
    case 'longs':
      return optionSchema(processOptions.longs);
    case 'errors':
      return orVariable({ enum: ['fail', 'skip'] }, closed({ to: { type: 'string', minLength: 1 } }, ['to']));
    case 'window':
      return windowSchema();
    case 'watermark':
      return { anyOf: [optionSchema(watermarkOptions.field), blockSchema(watermarkOptions)] };
    case 'on':
      return FIELDS;
    case 'retry':
      return { anyOf: [optionSchema(lookupRetryOptions.attempts), blockSchema(lookupRetryOptions)] };
    case 'cache':
      return { anyOf: [optionSchema(lookupCacheOptions.rows), blockSchema(lookupCacheOptions)] };
    case 'type':
    case 'ordered':
    case 'capacity':
    case 'timeout':
      return optionSchema(lookupOptions[key]);
    case 'key':
      return { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }] };
    default:
      return { type: ['object', 'null'] };
  }
}

/** One kind of window, and what may stand beside it. */
function windowSchema(): JsonSchema {
  const kinds = Object.keys(windowKinds) as readonly WindowKind[];
  const { properties } = tableSchema(windowOptions);
  const shapes = Object.fromEntries(kinds.map((kind) => [kind, windowKindSchema(kind)]));
  const late = { description: windowSettings.late.doc, ...STEP_REFERENCE };
  return { ...closed({ ...shapes, ...properties, late }, []), oneOf: kinds.map((kind) => ({ required: [kind] })) };
}

function windowKindSchema(kind: WindowKind): JsonSchema {
  const { only, options } = windowKinds[kind];
  const alone = only === null ? [] : [optionSchema((options as OptionTable)[only] as OptionRow)];
  return { description: windowSettings[kind].doc, anyOf: [...alone, blockSchema(options)] };
}

/** Per connector, what its `with` block may hold; its formats' options depend on `format`. */
function connectorRules(verb: Connector['kind'], catalog: ConnectorCatalog): readonly JsonSchema[] {
  const { sources, sinks, lookups = new Map<string, LookupConnector>() } = catalog;
  const connectors: readonly Connector[] = [...{ source: sources, sink: sinks, lookup: lookups }[verb].values()];
  return connectors.map((connector) => {
    const needsWith =
      connector.formatUse === 'required' || Object.values(connector.options).some((row) => row.required === true);
    return {
      if: { required: [verb], properties: { [verb]: { const: connector.name } } },
      then: {
        properties: { with: withSchema(connector, catalog), ...metadataRule(connector) },
        ...(needsWith ? { required: ['with'] } : {}),
      },
    };
  });
}

/** A source's `metadata` may name what its connector has, and nothing where that is nothing. */
function metadataRule(connector: Connector): JsonSchema {
  if (connector.kind !== 'source') return {};
  const names = Object.keys(connector.metadata);
  if (names.length === 0) return { metadata: false };
  return { metadata: { type: 'object', additionalProperties: { anyOf: [{ enum: names }, VARIABLE] } } };
}

function withSchema(connector: Connector, catalog: ConnectorCatalog): JsonSchema {
  const base = { type: ['object', 'null'], description: connector.doc, ...tableSchema(connector.options) };
  if (connector.formatUse === 'none') return { ...base, additionalProperties: false };
  const formats = [...catalog.formats.values()].filter((format) =>
    connector.kind === 'sink' ? format.canEncode : format.canDecode,
  );
  const { properties, required } = tableSchema(connector.options);
  return {
    ...base,
    type: 'object',
    properties: {
      ...properties,
      format: { description: 'how records are encoded', anyOf: [{ enum: formats.map(({ name }) => name) }, VARIABLE] },
    },
    required: [...required, 'format'],
    allOf: formats.map(formatRule),
    unevaluatedProperties: false,
  };
}

function formatRule(format: FormatDefinition): JsonSchema {
  return {
    if: { required: ['format'], properties: { format: { anyOf: [{ const: format.name }, VARIABLE] } } },
    then: { description: format.doc, ...tableSchema(format.options) },
  };
}

function tableSchema(table: OptionTable): { properties: Record<string, JsonSchema>; required: readonly string[] } {
  const rows = Object.entries(table);
  return {
    properties: Object.fromEntries(rows.map(([key, row]) => [key, optionSchema(row)])),
    required: rows.filter(([, row]) => row.required === true).map(([key]) => key),
  };
}

function optionSchema(row: OptionRow): JsonSchema {
  const unit = row.unit === undefined ? '' : ` (${row.unit})`;
  const description = `${row.doc}${unit}`;
  const initial: { default?: OptionValue } = row.default === undefined ? {} : { default: row.default };
  return { description, ...initial, ...kindSchema(row) };
}

const orVariable = (...schemas: readonly JsonSchema[]): JsonSchema => ({ anyOf: [...schemas, VARIABLE] });
const SIZE_PATTERN = '^\\s*\\d+(\\.\\d+)?\\s*([kKmMgGtT]?[iI]?[bB])?\\s*$';
const SCALAR: JsonSchema = { type: ['string', 'number', 'boolean'] };

function kindSchema(row: OptionRow): JsonSchema {
  switch (row.kind) {
    case 'string':
      return SCALAR;
    case 'boolean':
      return orVariable({ enum: [true, false, 'true', 'false'] });
    case 'integer':
    case 'number': {
      const minimum = row.min === undefined ? {} : { minimum: row.min };
      const bounds = row.max === undefined ? minimum : { ...minimum, maximum: row.max };
      return orVariable({ type: row.kind, ...bounds }, { type: 'string', pattern: '^\\s*[+-]?\\d+(\\.\\d+)?\\s*$' });
    }
    case 'duration':
      return orVariable(
        { const: 0 },
        ...(row.mayBeNever === true ? [{ const: 'never' }] : []),
        { type: 'string', pattern: '^\\s*(0|\\d+(\\.\\d+)?\\s*(ms|s|min|m|h|d))\\s*$' },
      );
    case 'size':
      return orVariable({ type: 'number', minimum: 0 }, { type: 'string', pattern: SIZE_PATTERN });
    case 'enum':
      return orVariable({ enum: (row.values ?? []).flatMap(spellings) });
    case 'list':
      return { anyOf: [SCALAR, { type: 'array', items: SCALAR }] };
    case 'map':
      return { type: 'object', additionalProperties: SCALAR };
    case 'any':
      return {};
  }
}

/** YAML reads some words of an enum as other values. */
function spellings(value: string): readonly (string | number | boolean)[] {
  if (value === 'true' || value === 'false') return [value, value === 'true'];
  return value !== '' && Number.isFinite(Number(value)) ? [value, Number(value)] : [value];
}
