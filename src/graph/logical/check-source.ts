import { formatType, isMillraceError, nearestName, rowSchema, sameType, types } from '../../core/index.ts';
import type {
  ConnectorCatalog,
  DataType,
  ErrorPolicy,
  Field,
  OptionProblem,
  RowSchema,
  SourceConnector,
  SourceSpec,
} from '../../core/index.ts';
import type { WatermarkSpec } from '../job/job-graph.ts';
import type { SourceStepSpec, WatermarkBlock } from '../spec/job-spec.ts';
import type { ProblemList } from '../spec/problem.ts';
import { checkWith, reportChecks, tableOf } from './check-with.ts';
import type { CheckedWith } from './check-with.ts';
import { declaredFields } from './declared-fields.ts';
import type { DeclaredFields } from './declared-fields.ts';
import type { StepStream } from './step-stream.ts';

export interface CheckedSource {
  /** Null where something of it is wrong. */
  readonly spec: SourceSpec | null;
  readonly bounded: boolean;
  readonly watermark: WatermarkSpec | null;
  /** What is known of its rows all the same; null where nothing is. */
  readonly output: StepStream | null;
}

export function checkSource(step: SourceStepSpec, catalog: ConnectorCatalog, problems: ProblemList): CheckedSource {
  const connector = findSource(step, catalog, problems);
  const checked = connector === null ? null : checkWith(step.with, connector, catalog, problems);
  const declared = declaredFields(step.schema, problems);
  const fixed = connector === null || checked === null ? null : fixedSchema(step, connector, checked, problems);
  const fixedFields = fixed !== null && fixed !== 'wrong' ? fixed.fields : null;
  if (fixedFields !== null && declared !== null) compareWithFixed(step, declared, fixedFields, problems);
  const fields = fixedFields ?? declared?.fields ?? null;
  if (fields === null) {
    const mayBeFixed = connector === null || checked === null || fixed === 'wrong';
    if (!mayBeFixed) {
      problems.add('MR-JOB-SCHEMA', step.schemaRange, { problem: `the source \`${step.id}\` declares no fields` }, {
        expected: '`schema: {FIELD: type, …}`',
      });
    }
    return { spec: null, bounded: false, watermark: null, output: null };
  }
  const metadata = metadataFields(step, connector, fields, problems);
  const errors = errorPolicy(step, connector, problems);
  const schema = rowSchema(fields);
  const all = [...fields, ...metadata.fields.map(({ name, type }) => ({ name, type }))];
  const doubtful = new Set([...(fixedFields === null ? (declared?.doubtful ?? []) : []), ...metadata.doubtful]);
  const hasEventTime = step.watermark !== null;
  const stream = { schema: rowSchema(all), changelog: 'append', uniqueKeys: [], hasEventTime } as const;
  const output: StepStream = { stream, doubtful };
  const watermark = checkWatermark(step.watermark, output, problems);
  if (connector === null || checked === null || doubtful.size > 0) {
    return { spec: null, bounded: false, watermark, output };
  }
  const spec: SourceSpec = Object.freeze({
    stepId: step.id,
    connector: connector.name,
    options: checked.options,
    format: checked.format,
    schema,
    metadata: Object.freeze(metadata.fields),
    projection: Object.freeze(all.map((_, index) => index)),
    filters: Object.freeze([]),
    errors,
  });
  runChecks(step, spec, connector, checked, catalog, problems);
  return { spec, bounded: connector.isBounded(checked.options), watermark, output };
}

/** The column that says when a row happened; null where there is none, or none that is right. */
function checkWatermark(
  block: WatermarkBlock | null,
  { stream, doubtful }: StepStream,
  problems: ProblemList,
): WatermarkSpec | null {
  if (block?.field == null || block.field.isIncomplete) return null;
  const { field: text, delayMs, idleMs, maxDriftMs } = block;
  const { fields } = stream.schema;
  const column = fields.findIndex(({ name }) => name === text.text);
  const type = fields[column]?.type;
  const timestamps = fields.filter((field) => field.type.kind === 'timestamp').map(({ name }) => name);
  const expected =
    timestamps.length === 0 ? 'a field of the type timestamp' : `a timestamp: ${timestamps.slice(0, 30).join(', ')}`;
  if (type === undefined) {
    const suggestion = nearestName(text.text, fields.map(({ name }) => name));
    const fieldName = { name: text.hideVariables(text.text) };
    problems.add('MR-JOB-UNKNOWN-FIELD', text.range, fieldName, { expected, suggestion });
    return null;
  }
  if (type.kind === 'timestamp') {
    return Object.freeze({ column, delayMs, idleMs, ...(maxDriftMs === null ? {} : { maxDriftMs }) });
  }
  if (doubtful.has(text.text)) return null;
  const fieldsOfMessage = { what: '`field` of `watermark`', expected: 'a timestamp', given: formatType(type) };
  problems.add('MR-JOB-EXPRESSION-TYPE', text.range, fieldsOfMessage, { expected });
  return null;
}

function findSource(step: SourceStepSpec, catalog: ConnectorCatalog, problems: ProblemList): SourceConnector | null {
  const name = step.connector;
  const known = catalog.sources.get(name.text);
  if (known !== undefined) return known;
  const names = [...catalog.sources.keys()];
  const isSink = catalog.sinks.has(name.text);
  const shown = name.hideVariables(name.text);
  problems.add('MR-JOB-UNKNOWN-CONNECTOR', name.range, { kind: 'source', name: shown }, {
    expected: `one of ${names.join(', ')}${isSink ? ` (\`${shown}\` is a sink)` : ''}`,
    suggestion: nearestName(name.text, names),
  });
  return null;
}

/** The schema that the connector or the format decides; null where neither does. */
function fixedSchema(
  step: SourceStepSpec,
  connector: SourceConnector,
  checked: CheckedWith,
  problems: ProblemList,
): RowSchema | null | 'wrong' {
  try {
    const own = connector.fixedSchema(checked.options);
    if (own !== null || checked.format === null) return own;
    return checked.definition?.fixedSchema(checked.format.options) ?? null;
  } catch (error) {
    // What an option holds (an avro schema, say) can be wrong in ways that only its reader knows.
    if (!isMillraceError(error)) throw error;
    problems.add('MR-JOB-SCHEMA', step.with.range, { problem: error.message });
    return 'wrong';
  }
}

function compareWithFixed(
  step: SourceStepSpec,
  declared: DeclaredFields,
  fixed: readonly Field[],
  problems: ProblemList,
): void {
  const same =
    declared.fields.length === fixed.length &&
    declared.fields.every(({ name, type }, i) => {
      const other = fixed[i];
      return other !== undefined && name === other.name && sameType(type, other.type);
    });
  if (same || declared.doubtful.length > 0) return;
  const fields = fixed.map(({ name, type }) => `${name} ${formatType(type)}`).join(', ');
  problems.add('MR-JOB-SCHEMA', step.schemaRange, { problem: `the fields of \`${step.id}\` are fixed: ${fields}` }, {
    expected: 'no `schema`, or the same fields',
  });
}

interface MetadataFields {
  readonly fields: readonly { readonly name: string; readonly key: string; readonly type: DataType }[];
  readonly doubtful: readonly string[];
}

function metadataFields(
  step: SourceStepSpec,
  connector: SourceConnector | null,
  declared: readonly Field[],
  problems: ProblemList,
): MetadataFields {
  const fields: { name: string; key: string; type: DataType }[] = [];
  const doubtful: string[] = [];
  for (const { name, nameRange, text } of step.metadata) {
    if (declared.some((field) => field.name === name)) {
      problems.add('MR-JOB-DUPLICATE-FIELD', nameRange, { name, other: 'the schema declares it' });
      continue;
    }
    const known = connector?.metadata ?? {};
    const type = Object.hasOwn(known, text.text) ? known[text.text] : undefined;
    if (type === undefined) {
      doubtful.push(name);
      if (connector !== null && !text.isIncomplete) unknownMetadata(step, connector, text, problems);
    }
    fields.push({ name, key: text.text, type: type ?? types.string });
  }
  return { fields, doubtful };
}

function unknownMetadata(
  step: SourceStepSpec,
  connector: SourceConnector,
  text: SourceStepSpec['metadata'][number]['text'],
  problems: ProblemList,
): void {
  const names = Object.keys(connector.metadata);
  const fields = { connector: connector.name, name: text.hideVariables(text.text) };
  problems.add('MR-JOB-METADATA', text.range, fields, {
    expected: names.length === 0 ? `no \`metadata\` in \`${step.id}\`` : `one of ${names.join(', ')}`,
    suggestion: nearestName(text.text, names),
  });
}

function errorPolicy(step: SourceStepSpec, connector: SourceConnector | null, problems: ProblemList): ErrorPolicy {
  if (step.errors.kind !== 'dead-letter') return { kind: step.errors.kind };
  const { target } = step.errors;
  if (connector !== null && !connector.deadLetters) {
    const what = `a dead-letter target for connector \`${connector.name}\``;
    problems.add('MR-JOB-UNSUPPORTED', target.range, { what }, { expected: '`errors: fail` or `errors: skip`' });
  }
  return { kind: 'dead-letter', target: target.text };
}

function runChecks(
  step: SourceStepSpec,
  spec: SourceSpec,
  connector: SourceConnector,
  checked: CheckedWith,
  catalog: ConnectorCatalog,
  problems: ProblemList,
): void {
  const table = tableOf(connector, checked.definition, catalog);
  const found: OptionProblem[] = [...connector.check(spec)];
  if (checked.definition !== null && checked.format !== null) {
    found.push(...checked.definition.check(spec.schema, checked.format.options, 'decode'));
  }
  reportChecks(found, step.with, table, problems);
}
