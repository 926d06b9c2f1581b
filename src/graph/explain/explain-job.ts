/** What a job graph does, for people (`explainJobAsText`) and for programs (`explainJob`, plain data). */
import { LATE_SIDE, maySpill } from '../../core/index.ts';
import type { ChangelogMode, ConnectorCatalog, OptionTable } from '../../core/index.ts';
import type { Exchange, JobEdge, JobGraph, JobVertex, ReactiveRescale, StateSettings } from '../job/job-graph.ts';
import { s3Options } from '../options.ts';
import { describeFields, explainChain } from './explain-chain.ts';
import type { StepExplanation } from './explain-chain.ts';

export interface JobExplanation {
  readonly name: string;
  readonly maxParallelism: number;
  /** Null where the job takes none. Credentials are left out. */
  readonly checkpoint: JobGraph['checkpoint'];
  readonly restart: JobGraph['restart'];
  /** Null where the job does not say. `inMemory`: steps with state that never leaves memory. */
  readonly state: (StateSettings & { readonly inMemory: readonly string[] }) | null;
  /** Null where the parallelism stays as it is. */
  readonly rescale: ReactiveRescale | null;
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
  /** What goes this way where it is not the output: `late` for rows that came too late, or a side of a process step. */
  readonly side: string | null;
  readonly changelog: ChangelogMode;
  /** Field names; one empty list means that there is at most one row. */
  readonly uniqueKeys: readonly (readonly string[])[];
  readonly fields: readonly string[];
}

export function explainJob(graph: JobGraph, catalog: ConnectorCatalog): JobExplanation {
  const numbers = new Map(graph.vertices.map((vertex, index) => [vertex.id, index + 1]));
  const edges = new Map(graph.edges.map((edge) => [edge.id, edge]));
  const edgesOf = (ids: JobVertex['inputs']) => ids.map((id) => edges.get(id)).filter((edge) => edge !== undefined);
  return {
    name: graph.name,
    maxParallelism: graph.maxParallelism,
    checkpoint: withoutSecrets(graph.checkpoint),
    restart: graph.restart,
    rescale: graph.rescale ?? null,
    state: graph.state === undefined ? null : { ...graph.state, inMemory: stepsInMemory(graph) },
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

const WITHOUT_STATE: readonly string[] = ['source', 'sink', 'transform', 'union', 'lookup'];

function stepsInMemory(graph: JobGraph): readonly string[] {
  return graph.vertices.flatMap(({ chain }) =>
    chain.flatMap((node) => {
      const isPinned = !WITHOUT_STATE.includes(node.kind) && !maySpill(node);
      return isPinned && 'stepId' in node ? node.stepId : [];
    }),
  );
}

export function explainJobAsText(graph: JobGraph, catalog: ConnectorCatalog): string {
  const explanation = explainJob(graph, catalog);
  const lines = [`job ${explanation.name}, ${explanation.maxParallelism} key groups`, ...recoveryLines(explanation)];
  for (const vertex of explanation.vertices) {
    lines.push('', `[${vertex.number}] ${vertex.name}`, `    parallelism ${vertex.parallelism}, id ${vertex.id}`);
    for (const input of vertex.inputs) lines.push(`  <- [${input.vertex}] ${describeWay(input)}`);
    for (const step of vertex.steps) {
      lines.push(`  ${step.kind} ${step.step}`);
      for (const detail of step.details) lines.push(`      ${detail}`);
      if (step.fields !== null) lines.push(`      ${step.changelog}: ${step.fields.join(', ')}`);
    }
    for (const output of vertex.outputs) lines.push(...exchangeLines(output));
  }
  return `${lines.join('\n')}\n`;
}

function withoutSecrets(settings: JobGraph['checkpoint']): JobGraph['checkpoint'] {
  if (settings?.storage === undefined) return settings;
  const { location, s3 } = settings.storage;
  const table: OptionTable = s3Options;
  const shown = Object.entries(s3).filter(([key]) => table[key]?.secret !== true);
  return { ...settings, storage: { location, s3: Object.fromEntries(shown) } };
}

/** What a failure costs; nothing to say of a job that just fails. */
function recoveryLines({ checkpoint, restart, state, rescale }: JobExplanation): readonly string[] {
  const lines: string[] = [];
  if (state !== null) {
    const { backend, memoryBytes, inMemory } = state;
    const size = memoryBytes === null ? '' : `, ${memoryBytes} bytes of memory per slot`;
    const others = backend === 'disk' && inMemory.length > 0 ? `; all in memory: ${inMemory.join(', ')}` : '';
    lines.push(`state ${backend}${size}${others}`);
  }
  if (checkpoint !== null) {
    const { intervalMs, mode, timeoutMs, minPauseMs, tolerableFailures, retained, storage } = checkpoint;
    const limits = `timeout ${timeoutMs}ms, pause ${minPauseMs}ms, tolerates ${tolerableFailures}, keeps ${retained}`;
    const place = storage?.location == null ? '' : `, in ${storage.location}`;
    const { alignmentTimeoutMs } = checkpoint;
    const alignment = alignmentTimeoutMs === undefined ? '' : `aligned for up to ${alignmentTimeoutMs}ms, `;
    lines.push(`checkpoint ${mode} every ${intervalMs}ms, ${alignment}${limits}${place}`);
  }
  if (rescale !== null) {
    const { minParallelism, maxParallelism, stabilizationMs, minIntervalMs, resourceWaitMs } = rescale;
    const times = `grows after ${stabilizationMs}ms, and ${minIntervalMs}ms apart; shrinks after ${resourceWaitMs}ms`;
    lines.push(`rescale reactive, ${minParallelism} to ${maxParallelism} subtasks; ${times}`);
  }
  const { kind, ...settings } = restart;
  const shown = Object.entries(settings).map(([key, value]) => `${key}=${String(value)}`);
  if (kind !== 'none') lines.push(`restart ${kind} (${shown.join(', ')})`);
  return lines;
}

function exchangeLines(explained: ExchangeExplanation): readonly string[] {
  const { vertex, changelog, uniqueKeys, fields } = explained;
  const keys = uniqueKeys.map((key) => (key.length === 0 ? 'one row' : `unique by ${key.join(', ')}`));
  const mode = [changelog, ...keys].join(', ');
  return [`  -> [${vertex}] ${describeWay(explained)}`, `      ${mode}: ${fields.join(', ')}`];
}

function describeWay({ exchange, side }: Pick<ExchangeExplanation, 'exchange' | 'side'>): string {
  if (side === null) return exchange;
  return side === LATE_SIDE ? `${exchange}, late rows` : `${exchange}, side ${side}`;
}

function explainExchange(edge: JobEdge, vertex: number): ExchangeExplanation {
  const nameOf = (index: number) => edge.schema.fields[index]?.name ?? '?';
  return {
    vertex,
    exchange: describeExchange(edge.exchange, nameOf),
    side: edge.side ?? null,
    changelog: edge.changelog,
    uniqueKeys: edge.uniqueKeys.map((key) => key.map(nameOf)),
    fields: describeFields(edge.schema),
  };
}

function describeExchange(exchange: Exchange, nameOf: (index: number) => string): string {
  return exchange.kind === 'hash' ? `hash(${exchange.keys.map(nameOf).join(', ')})` : exchange.kind;
}
