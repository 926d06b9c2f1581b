import { edgeId } from '../../core/index.ts';
import type { JobGraph } from '../../graph/index.ts';
import { operatorNode, sinkNode, sourceNode, testGraph } from '../test-graph.ts';

/** A job of the simulation; its text is JSON. */
export interface SimulatedJob {
  readonly name: string;
  readonly parallelism: number;
  readonly rows: number;
  readonly keys: number;
  readonly splits: number;
  readonly batchRows: number;
  /** Between two batches of a subtask. */
  readonly pauseMs: number;
  readonly checkpointMs: number;
  readonly tolerableFailures: number;
  readonly retained: number;
  /** Null: barriers wait behind rows. */
  readonly alignmentTimeoutMs: number | null;
}

/** Ids as compiled graphs have them. */
const [IN, COUNT, EDGE] = ['1'.repeat(32), '2'.repeat(32), edgeId('3'.repeat(32))] as const;

/** A source, behind an exchange an operator that counts per key, and a sink that commits with checkpoints. */
export function jobOf(text: string, parallelismWanted: number | null): JobGraph {
  const job = JSON.parse(text) as SimulatedJob;
  const parallelism = parallelismWanted ?? job.parallelism;
  const { rows, keys, splits, batchRows, pauseMs } = job;
  const graph = testGraph(job.name, [
    { name: IN, parallelism, chain: [sourceNode('in', { rows, keys, splits, batchRows, pauseEvery: 1, pauseMs })] },
    {
      name: COUNT,
      parallelism,
      chain: [operatorNode('count', 'tally-1'), sinkNode('out', {}, 'kafka')],
      from: [[IN, { kind: 'hash', keys: [1] }]],
    },
  ]);
  const connected = graph.vertices.map((vertex) => ({
    ...vertex,
    inputs: vertex.inputs.map(() => EDGE),
    outputs: vertex.outputs.map(() => EDGE),
  }));
  return {
    ...graph,
    vertices: connected,
    edges: graph.edges.map((edge) => ({ ...edge, id: EDGE })),
    checkpoint: {
      intervalMs: job.checkpointMs,
      mode: 'exactly-once',
      timeoutMs: 10_000,
      minPauseMs: 0,
      tolerableFailures: job.tolerableFailures,
      retained: job.retained,
      ...(job.alignmentTimeoutMs === null ? {} : { alignmentTimeoutMs: job.alignmentTimeoutMs }),
    },
    restart: { kind: 'fixed-delay', attempts: 100_000, delayMs: 100 },
  };
}
