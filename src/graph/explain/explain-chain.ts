/** What each step of a chain does, one fact a line. */
import { formatType } from '../../core/index.ts';
import type {
  AggregateCall,
  ChangelogMode,
  CodeReference,
  ConnectorCatalog,
  OptionRow,
  OptionTable,
  Options,
  OptionValue,
  RowSchema,
  SinkSpec,
  SourceSpec,
  TransformStep,
} from '../../core/index.ts';
import { formatExpression } from '../../expr/index.ts';
import type {
  ChainNode,
  DedupeNode,
  JobVertex,
  JoinNode,
  LookupNode,
  ProcessNode,
  SourceNode,
  TopNNode,
  WindowNode,
  WindowSpec,
} from '../job/job-graph.ts';
import { joinChangelog } from '../logical/changelog-rules.ts';
import type { Verb } from '../spec/verbs.ts';

/** The step's verb; or what stands in front of a step for its sake, and no file names. */
export type StepKind = Verb | 'normalise';

export interface StepExplanation {
  readonly step: string;
  readonly kind: StepKind;
  /** What it does, one fact a line; secrets are `***`. */
  readonly details: readonly string[];
  /** `NAME type` per field that leaves the step; null for sinks, and for steps whose successor in a chain says it. */
  readonly fields: readonly string[] | null;
  readonly changelog: ChangelogMode;
}

export function explainChain(
  vertex: JobVertex,
  arriving: ChangelogMode,
  catalog: ConnectorCatalog,
): readonly StepExplanation[] {
  let changelog = arriving;
  return vertex.chain.flatMap((node): readonly StepExplanation[] => {
    changelog = changelogBehind(node, changelog);
    return explainNode(node, changelog, catalog);
  });
}

function changelogBehind(node: ChainNode, arriving: ChangelogMode): ChangelogMode {
  switch (node.kind) {
    case 'aggregate':
      return 'upsert';
    case 'window':
      return node.latenessMs > 0 || node.earlyMs !== null ? 'upsert' : 'append';
    case 'join':
      return joinChangelog(node.type, node.bounds, node.retracts === true);
    case 'dedupe':
      return node.keep === 'first' ? 'append' : 'upsert';
    case 'top-n':
    case 'normalise':
      return 'retract';
    case 'process':
    case 'lookup':
    case 'source':
    case 'transform':
    case 'union':
    case 'sink':
      return arriving;
  }
}

function explainNode(node: ChainNode, changelog: ChangelogMode, catalog: ConnectorCatalog): readonly StepExplanation[] {
  switch (node.kind) {
    case 'source': {
      const { stepId: step } = node.spec;
      const details = [...explainSource(node.spec, catalog), ...explainWatermark(node)];
      return [{ step, kind: 'source', details, fields: describeFields(node.output), changelog }];
    }
    case 'transform':
      return node.steps.map((step, index) => {
        const isLast = index === node.steps.length - 1;
        const fields = isLast ? describeFields(node.output) : null;
        const kind = step.kind === 'flat-map' ? 'flatMap' : step.kind;
        return { step: step.stepId, kind, details: explainTransform(step), fields, changelog };
      });
    case 'sink': {
      const { stepId: step } = node.spec;
      return [{ step, kind: 'sink', details: explainSink(node.spec, catalog), fields: null, changelog }];
    }
    default: {
      const { verb, details } = explainKeyed(node, catalog);
      return [{ step: node.stepId, kind: verb, details, fields: describeFields(node.output), changelog }];
    }
  }
}

type OtherNode = Exclude<ChainNode, { readonly kind: 'source' | 'transform' | 'sink' }>;

function explainKeyed(
  node: OtherNode,
  catalog: ConnectorCatalog,
): { readonly verb: StepKind; readonly details: readonly string[] } {
  switch (node.kind) {
    case 'aggregate': {
      const key = describeKeys(node, 'one total of all rows');
      const retracts = node.retracts === true ? ['takes rows back'] : [];
      return { verb: 'aggregate', details: [key, ...node.calls.map(describeCall), ...retracts] };
    }
    case 'normalise':
      return { verb: 'normalise', details: [describeKeys(node, 'one row'), 'says which row is replaced'] };
    case 'window':
      return { verb: 'aggregate', details: explainWindow(node) };
    case 'join':
      return { verb: 'join', details: explainJoin(node) };
    case 'dedupe':
      return { verb: 'dedupe', details: explainDedupe(node) };
    case 'top-n':
      return { verb: 'topN', details: explainTopN(node) };
    case 'process':
      return { verb: 'process', details: explainProcess(node) };
    case 'lookup':
      return { verb: 'lookup', details: explainLookup(node, catalog) };
    case 'union':
      return { verb: 'union', details: [] };
  }
}

function nameOf(schema: RowSchema, index: number): string {
  return schema.fields[index]?.name ?? '?';
}

function describeKeys({ keys, input }: Pick<WindowNode, 'keys' | 'input'>, without: string): string {
  return keys.length === 0 ? without : `key ${keys.map((key) => nameOf(input, key)).join(', ')}`;
}

function explainWindow(node: WindowNode): readonly string[] {
  const { calls, window, latenessMs, earlyMs, fields, output } = node;
  const lateness = latenessMs === 0 ? '' : `, lateness ${latenessMs}ms`;
  const early = earlyMs === null ? '' : `, early every ${earlyMs}ms`;
  const bounds = fields.flatMap(({ kind }, index) => {
    if (kind !== 'window-start' && kind !== 'window-end') return [];
    return [`${nameOf(output, index)} = ${kind === 'window-start' ? 'WINDOW_START' : 'WINDOW_END'}`];
  });
  const key = describeKeys(node, 'all rows together');
  return [key, `window ${describeWindow(window)}${lateness}${early}`, ...calls.map(describeCall), ...bounds];
}

function describeWindow(window: WindowSpec): string {
  const offset = 'offsetMs' in window && window.offsetMs > 0 ? `, offset ${window.offsetMs}ms` : '';
  switch (window.kind) {
    case 'tumble':
      return `tumble ${window.sizeMs}ms${offset}`;
    case 'hop':
      return `hop ${window.sizeMs}ms every ${window.slideMs}ms${offset}`;
    case 'cumulate':
      return `cumulate by ${window.stepMs}ms up to ${window.maxMs}ms${offset}`;
    case 'session':
      return `session, gap ${window.gapMs}ms`;
    case 'count':
      return `count ${window.size}`;
  }
}

function explainJoin(node: JoinNode): readonly string[] {
  const { type, leftKeys, rightKeys, condition, bounds, ttlMs, left, right, retracts } = node;
  const pairs = leftKeys.map((key, index) => `${nameOf(left, key)} = ${nameOf(right, rightKeys[index] ?? -1)}`);
  return [
    `${type}, on ${pairs.join(' AND ')}`,
    ...(condition === null ? [] : [`where ${formatExpression(condition)}`]),
    ...(bounds === null ? [] : [describeBounds(bounds)]),
    ...(ttlMs === null ? [] : [`keeps rows ${ttlMs}ms`]),
    ...(retracts === true ? ['takes rows back'] : []),
  ];
}

function describeBounds(bounds: NonNullable<JoinNode['bounds']>): string {
  switch (bounds.kind) {
    case 'interval':
      return `within ${bounds.beforeMs}ms before and ${bounds.afterMs}ms after`;
    case 'window':
      return `in the same window: ${describeWindow({ ...bounds, kind: 'tumble' })}`;
    case 'temporal':
      return 'with the version of the right row at the time of the left';
  }
}

function explainDedupe(node: DedupeNode): readonly string[] {
  const ttl = node.ttlMs === null ? [] : [`forgets keys after ${node.ttlMs}ms`];
  return [describeKeys(node, ''), `keeps the ${node.keep}`, ...ttl];
}

function explainTopN(node: TopNNode): readonly string[] {
  const by = node.by.map(({ column, descending }) => `${nameOf(node.input, column)}${descending ? ' DESC' : ''}`);
  const rank = node.hasRank ? [`rank ${node.output.fields.at(-1)?.name ?? '?'}`] : [];
  const retracts = node.retracts === true ? ['takes rows back'] : [];
  return [describeKeys(node, 'all rows together'), `the first ${node.count} by ${by.join(', ')}`, ...rank, ...retracts];
}

function explainProcess({ code, role, keys, longs, sides, input }: ProcessNode): readonly string[] {
  const step = code.step === null ? '' : `, step ${code.step}`;
  return [
    `${role === 'process' ? '' : `${role} by `}${describeCode(code)}${step}`,
    ...(keys.length === 0 ? [] : [describeKeys({ keys, input }, '')]),
    ...(longs === 'bigint' ? ['longs as bigint'] : []),
    ...sides.map(({ name, schema }) => `side ${name}: ${describeFields(schema).join(', ')}`),
  ];
}

function describeCode({ module, name }: CodeReference): string {
  return `${module.slice(module.lastIndexOf('/') + 1)}#${name}`;
}

function explainLookup(node: LookupNode, catalog: ConnectorCatalog): readonly string[] {
  const { spec, code, keys, type, isOrdered, capacity, timeoutMs, retry, cache, input } = node;
  const options = catalog.lookups?.get(spec.connector)?.options ?? {};
  const on = spec.keys.fields.map(({ name }, index) => `${name} = ${nameOf(input, keys[index] ?? -1)}`);
  const life = cache?.ttlMs == null ? '' : ` for ${cache.ttlMs}ms`;
  return [
    ...(code === null ? explainConnector(spec, options, catalog) : [`code ${describeCode(code)}`]),
    `${type}, on ${on.join(', ')}, finds ${describeFields(spec.schema).join(', ')}`,
    `${isOrdered ? 'in order' : 'as they are answered'}, ${capacity} at a time`,
    `${retry.attempts} attempts of ${timeoutMs}ms`,
    ...(cache === null ? [] : [`keeps ${cache.rows} answers${life}${cache.keepsMissing ? '' : ', none without rows'}`]),
  ];
}

export function describeFields(schema: RowSchema): readonly string[] {
  return schema.fields.map(({ name, type }) => `${name} ${formatType(type)}`);
}

function explainSource(spec: SourceSpec, catalog: ConnectorCatalog): readonly string[] {
  const all = spec.schema.fields.length + spec.metadata.length;
  const metadata = spec.metadata.map(({ name, key }) => `${name} from ${key}`);
  return [
    ...explainConnector(spec, catalog.sources.get(spec.connector)?.options ?? {}, catalog),
    `reads ${spec.projection.length} of ${all} fields`,
    ...(metadata.length === 0 ? [] : [`metadata: ${metadata.join(', ')}`]),
    ...spec.filters.map(({ stepId, predicate }) => `filter ${stepId}, while decoding: ${formatExpression(predicate)}`),
    `errors: ${spec.errors.kind === 'dead-letter' ? `to ${spec.errors.target}` : spec.errors.kind}`,
  ];
}

function explainWatermark({ watermark, output }: SourceNode): readonly string[] {
  if (watermark === null) return [];
  const { column, delayMs, idleMs, maxDriftMs } = watermark;
  const idle = idleMs === null ? '' : `, idle after ${idleMs}ms`;
  const drift = maxDriftMs === undefined ? '' : `, at most ${maxDriftMs}ms ahead of other sources`;
  return [`event time: ${output.fields[column]?.name ?? '?'}, delay ${delayMs}ms${idle}${drift}`];
}

function explainSink(spec: SinkSpec, catalog: ConnectorCatalog): readonly string[] {
  const key = spec.uniqueKey.map((index) => spec.input.fields[index]?.name ?? '?');
  return [
    ...explainConnector(spec, catalog.sinks.get(spec.connector)?.options ?? {}, catalog),
    `takes ${spec.changelog}${key.length === 0 ? '' : `, unique by ${key.join(', ')}`}`,
  ];
}

function explainConnector(
  spec: Pick<SourceSpec, 'connector' | 'options' | 'format'>,
  table: OptionTable,
  catalog: ConnectorCatalog,
): readonly string[] {
  const lines = [`connector ${spec.connector}${describeOptions(spec.options, table)}`];
  if (spec.format !== null) {
    const { name, options } = spec.format;
    lines.push(`format ${name}${describeOptions(options, catalog.formats.get(name)?.options ?? {})}`);
  }
  return lines;
}

/** Options that are set; one that no table knows is hidden as if it were secret. */
function describeOptions(options: Options, table: OptionTable): string {
  const shown = Object.entries(options)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => {
      const row = Object.hasOwn(table, key) ? table[key] : undefined;
      return `${key}=${row === undefined || row.secret === true ? '***' : describeOption(value, row)}`;
    });
  return shown.length === 0 ? '' : ` (${shown.join(', ')})`;
}

const UNITS: Readonly<Partial<Record<OptionRow['kind'], string>>> = { duration: 'ms', size: 'B' };

function describeOption(value: OptionValue, row: OptionRow): string {
  const text = typeof value === 'string' ? value : `${JSON.stringify(value)}${UNITS[row.kind] ?? ''}`;
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function explainTransform(step: TransformStep): readonly string[] {
  if (step.kind === 'filter') return [formatExpression(step.predicate)];
  return step.fields.map(({ name, expression }) => {
    const text = formatExpression(expression);
    return text === name ? name : `${name} = ${text}`;
  });
}

function describeCall(call: AggregateCall): string {
  const argument = call.argument === null ? '*' : formatExpression(call.argument);
  const filter = call.filter === null ? '' : ` FILTER (WHERE ${formatExpression(call.filter)})`;
  const name = call.function.toUpperCase().replaceAll('-', '_');
  const which = call.quantile === undefined ? '' : `, ${call.quantile}`;
  return `${call.name} = ${name}(${call.distinct ? 'DISTINCT ' : ''}${argument}${which})${filter}`;
}
