/** The job that `millrace datagen` runs: one generator, straight to standard output. */
import { parseOptions, vertexId, type OptionValue, type SourceSpec } from '../core/index.ts';
import type { CompiledJob, JobGraph } from '../graph/index.ts';
import { catalog } from './catalog.ts';
import { cliErrors } from './errors.ts';

export interface GeneratorFlags {
  /** `NAME=type`. */
  readonly field: readonly string[];
  readonly nexmark?: string;
  readonly rows?: number;
  readonly rate?: number;
  readonly seed?: number;
}

/** How each generator calls its number of rows. */
const ROW_COUNT_OPTION: Readonly<Record<string, string>> = { datagen: 'count', nexmark: 'events' };
const GENERATOR_STEP = 'rows';
const SINK_STEP = 'out';

/** The job file of flags. JSON is YAML. */
export function generatorJobText({ field, nexmark }: GeneratorFlags): string {
  if ((nexmark === undefined) === (field.length === 0)) {
    const reason = 'name a job file, or say what to make with --field or with --nexmark (one of them)';
    throw cliErrors.create('MR-CLI-NOTHING-TO-GENERATE', { reason });
  }
  const schema = Object.fromEntries(field.map((text) => splitAt(text, text.indexOf('='))));
  const source =
    nexmark === undefined ? { source: 'datagen', schema } : { source: 'nexmark', with: { kind: nexmark } };
  const steps = [{ id: GENERATOR_STEP, ...source }, { id: SINK_STEP, sink: 'print' }];
  return JSON.stringify({ name: 'datagen', steps }, null, 2);
}

function splitAt(text: string, index: number): readonly [string, string] {
  return [text.slice(0, index).trim(), text.slice(index + 1).trim()];
}

/** The generator of a compiled job with what the flags change, and a print sink behind it. */
export function generatorGraph(job: CompiledJob, flags: GeneratorFlags & { readonly step?: string }): JobGraph {
  const source = withFlags(chooseGenerator(job, flags.step), flags);
  const sink = catalog.sinks.get('print');
  if (sink === undefined) throw new Error('this build has no print sink');
  const id = vertexId('0'.repeat(32));
  return {
    version: 1,
    name: 'datagen',
    maxParallelism: 1,
    checkpoint: null,
    restart: { kind: 'none' },
    vertices: [
      {
        id,
        name: `${source.stepId} -> ${SINK_STEP}`,
        parallelism: 1,
        inputs: [],
        outputs: [],
        chain: [
          { kind: 'source', spec: source, output: source.schema, watermark: null },
          {
            kind: 'sink',
            input: source.schema,
            spec: {
              stepId: SINK_STEP,
              connector: sink.name,
              options: parseOptions(sink.options, {}).values,
              format: null,
              input: source.schema,
              changelog: 'append',
              uniqueKey: [],
            },
          },
        ],
      },
    ],
    edges: [],
  };
}

function chooseGenerator(job: CompiledJob, wanted: string | undefined): SourceSpec {
  const sources = (job.logical?.nodes ?? []).flatMap((node) => (node.kind === 'source' ? [node.spec] : []));
  const generators = sources.filter(({ connector }) => Object.hasOwn(ROW_COUNT_OPTION, connector));
  const ids = generators.map(({ stepId }) => stepId).join(', ');
  const fitting = wanted === undefined ? generators : generators.filter(({ stepId }) => stepId === wanted);
  const [first, second] = fitting;
  if (first === undefined) {
    const hasNone = 'the job has no source datagen or nexmark';
    const reason = ids === '' ? hasNone : `no generator is called ${wanted ?? ''}: ${ids}`;
    throw cliErrors.create('MR-CLI-NOTHING-TO-GENERATE', { reason });
  }
  if (second !== undefined) {
    throw cliErrors.create('MR-CLI-NOTHING-TO-GENERATE', { reason: `choose one with --step: ${ids}` });
  }
  return first;
}

function withFlags(spec: SourceSpec, { rows, rate, seed }: GeneratorFlags): SourceSpec {
  const changes: [string, OptionValue][] = [];
  if (rows !== undefined) changes.push([ROW_COUNT_OPTION[spec.connector] ?? '', rows]);
  if (rate !== undefined) changes.push(['rate', rate]);
  if (seed !== undefined) changes.push(['seed', seed]);
  const fields = [...spec.schema.fields];
  return {
    ...spec,
    options: { ...spec.options, ...Object.fromEntries(changes) },
    metadata: [],
    projection: fields.map((_, index) => index),
    filters: [],
  };
}
