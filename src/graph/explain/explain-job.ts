/** What a job graph does, for people (`explainJobAsText`) and for programs (`explainJob`, plain data). */
import { formatType } from '../../core/index.ts';
import type {
  AggregateCall,
  ChangelogMode,
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
import type { ChainNode, Exchange, JobEdge, JobGraph, JobVertex, SourceNode } from '../job/job-graph.ts';

export interface JobExplanation {
  readonly name: string;
  readonly maxParallelism: number;
  /** Null where the job takes none. */
  readonly checkpoint: JobGraph['checkpoint'];
  readonly restart: JobGraph['restart'];
  readonly vertices: readonly VertexExplanation[];
}

export interface VertexExplanation {
  /** From 1, in the order of the graph; exchanges name vertices by it. */
  readonly number: number;
  readonly id: string;
  readonly name: string;
  readonly parallelism: number;
  readonly inputs: readonly ExchangeExplanation[];
  readonly steps: readonly StepExplanation[];
  readonly outputs: readonly ExchangeExplanation[];
}

export interface ExchangeExplanation {
  /** The number of the vertex at the other end. */
  readonly vertex: number;
  /** `forward`, `rebalance`, `broadcast` or `hash(FIELD, …)`. */
  readonly exchange: string;
  readonly changelog: ChangelogMode;
  /** Field names; one empty list means that there is at most one row. */
  readonly uniqueKeys: readonly (readonly string[])[];
  readonly fields: readonly string[];
}

export interface StepExplanation {
  readonly step: string;
  readonly kind: 'source' | 'filter' | 'select' | 'flatMap' | 'aggregate' | 'union' | 'sink';
  /** What it does, one fact a line; secrets are `***`. */
  readonly details: readonly string[];
  /** `NAME type` per field that leaves the step; null for sinks, and for steps whose successor in a chain says it. */
  readonly fields: readonly string[] | null;
  readonly changelog: ChangelogMode;
}

export function explainJob(graph: JobGraph, catalog: ConnectorCatalog): JobExplanation {
  const numbers = new Map(graph.vertices.map((vertex, index) => [vertex.id, index + 1]));
  const edges = new Map(graph.edges.map((edge) => [edge.id, edge]));
  const edgesOf = (ids: JobVertex['inputs']) => ids.map((id) => edges.get(id)).filter((edge) => edge !== undefined);
  return {
    name: graph.name,
    maxParallelism: graph.maxParallelism,
    checkpoint: graph.checkpoint,
    restart: graph.restart,
    vertices: graph.vertices.map((vertex, index) => {
      const inputs = edgesOf(vertex.inputs);
      return {
        number: index + 1,
        id: vertex.id,
        name: vertex.name,
        parallelism: vertex.parallelism,
        inputs: inputs.map((edge) => explainExchange(edge, numbers.get(edge.from) ?? 0)),
        steps: explainChain(vertex, inputs[0]?.changelog ?? 'append', catalog),
        outputs: edgesOf(vertex.outputs).map((edge) => explainExchange(edge, numbers.get(edge.to) ?? 0)),
      };
    }),
  };
}

export function explainJobAsText(graph: JobGraph, catalog: ConnectorCatalog): string {
  const explanation = explainJob(graph, catalog);
  const lines = [`job ${explanation.name}, ${explanation.maxParallelism} key groups`, ...recoveryLines(explanation)];
  for (const vertex of explanation.vertices) {
    lines.push('', `[${vertex.number}] ${vertex.name}`, `    parallelism ${vertex.parallelism}, id ${vertex.id}`);
    for (const input of vertex.inputs) lines.push(`  <- [${input.vertex}] ${input.exchange}`);
    for (const step of vertex.steps) {
      lines.push(`  ${step.kind} ${step.step}`);
      for (const detail of step.details) lines.push(`      ${detail}`);
      if (step.fields !== null) lines.push(`      ${step.changelog}: ${step.fields.join(', ')}`);
    }
    for (const output of vertex.outputs) lines.push(...exchangeLines(output));
  }
  return `${lines.join('\n')}\n`;
}

/** What a failure costs; nothing to say of a job that just fails. */
function recoveryLines({ checkpoint, restart }: JobExplanation): readonly string[] {
  const lines: string[] = [];
  if (checkpoint !== null) {
    const { intervalMs, mode, timeoutMs, minPauseMs, tolerableFailures, retained } = checkpoint;
    const limits = `timeout ${timeoutMs}ms, pause ${minPauseMs}ms, tolerates ${tolerableFailures}, keeps ${retained}`;
    lines.push(`checkpoint ${mode} every ${intervalMs}ms, ${limits}`);
  }
  const { kind, ...settings } = restart;
  const shown = Object.entries(settings).map(([key, value]) => `${key}=${String(value)}`);
  if (kind !== 'none') lines.push(`restart ${kind} (${shown.join(', ')})`);
  return lines;
}

function exchangeLines({ vertex, exchange, changelog, uniqueKeys, fields }: ExchangeExplanation): readonly string[] {
  const keys = uniqueKeys.map((key) => (key.length === 0 ? 'one row' : `unique by ${key.join(', ')}`));
  const mode = [changelog, ...keys].join(', ');
  return [`  -> [${vertex}] ${exchange}`, `      ${mode}: ${fields.join(', ')}`];
}

function explainExchange(edge: JobEdge, vertex: number): ExchangeExplanation {
  const nameOf = (index: number) => edge.schema.fields[index]?.name ?? '?';
  return {
    vertex,
    exchange: describeExchange(edge.exchange, nameOf),
    changelog: edge.changelog,
    uniqueKeys: edge.uniqueKeys.map((key) => key.map(nameOf)),
    fields: describeFields(edge.schema),
  };
}

function describeExchange(exchange: Exchange, nameOf: (index: number) => string): string {
  return exchange.kind === 'hash' ? `hash(${exchange.keys.map(nameOf).join(', ')})` : exchange.kind;
}

function describeFields(schema: RowSchema): readonly string[] {
  return schema.fields.map(({ name, type }) => `${name} ${formatType(type)}`);
}

function explainChain(
  vertex: JobVertex,
  arriving: ChangelogMode,
  catalog: ConnectorCatalog,
): readonly StepExplanation[] {
  let changelog = arriving;
  return vertex.chain.flatMap((node): readonly StepExplanation[] => {
    if (node.kind === 'aggregate') changelog = 'upsert';
    return explainNode(node, changelog, catalog);
  });
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
    case 'aggregate': {
      const keys = node.keys.map((key) => node.input.fields[key]?.name ?? '?');
      const key = keys.length === 0 ? 'one total of all rows' : `key ${keys.join(', ')}`;
      const details = [key, ...node.calls.map(describeCall)];
      return [{ step: node.stepId, kind: 'aggregate', details, fields: describeFields(node.output), changelog }];
    }
    case 'window':
    case 'join':
    case 'dedupe':
    case 'top-n':
    case 'union':
      return [{ step: node.stepId, kind: 'union', details: [], fields: describeFields(node.output), changelog }];
    case 'sink': {
      const { stepId: step } = node.spec;
      return [{ step, kind: 'sink', details: explainSink(node.spec, catalog), fields: null, changelog }];
    }
  }
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
  const { column, delayMs, idleMs } = watermark;
  const idle = idleMs === null ? '' : `, idle after ${idleMs}ms`;
  return [`event time: ${output.fields[column]?.name ?? '?'}, delay ${delayMs}ms${idle}`];
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
  return `${call.name} = ${call.function.toUpperCase()}(${call.distinct ? 'DISTINCT ' : ''}${argument})${filter}`;
}
