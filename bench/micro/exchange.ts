/**
 * What an exchange costs: rows per second from a source that costs nothing to a sink that only counts, through the
 * whole runtime on real threads: slots of one TaskManager, or (`tcp`, `tcp-unchecked`) each of its own, linked over
 * loopback TCP with and without checksums.
 * `node bench/micro/exchange.ts [millions of rows] [thread|tcp|tcp-unchecked]`.
 */
import { edgeId, vertexId } from '../../src/core/index.ts';
import type { RowSchema } from '../../src/core/index.ts';
import { nodePorts, nodeWorkerHost } from '../../src/core/node-ports.ts';
import { startLocalCluster } from '../../src/dispatcher/index.ts';
import type { ChainNode, Exchange, JobGraph } from '../../src/graph/index.ts';
import { startTaskManager } from '../../src/taskmanager/index.ts';
import type { TaskManager } from '../../src/taskmanager/index.ts';
import type {} from './exchange-worker.ts';
import { benchCatalog, numberSchema, textSchema } from './exchange-connectors.ts';

interface Case {
  readonly name: string;
  readonly exchange: Exchange;
  readonly schema: RowSchema;
  readonly senders: number;
  readonly receivers: number;
  readonly batchRows: number;
  /** All rows go to this receiver. */
  readonly onlyTarget?: number;
}

const hash: Exchange = { kind: 'hash', keys: [0] };
const forward: Exchange = { kind: 'forward' };
const rebalance: Exchange = { kind: 'rebalance' };
const broadcast: Exchange = { kind: 'broadcast' };
const numbers = { schema: numberSchema, batchRows: 2048 };
const texts = { schema: textSchema, batchRows: 2048 };
const cases: readonly Case[] = [
  { name: 'forward, one thread', exchange: forward, ...numbers, senders: 1, receivers: 1 },
  { name: 'hash, all to another thread', exchange: hash, ...numbers, senders: 1, receivers: 2, onlyTarget: 1 },
  { name: 'hash, 2 to 2', exchange: hash, ...numbers, senders: 2, receivers: 2 },
  { name: 'hash, 2 to 2, batches of 256', exchange: hash, ...numbers, batchRows: 256, senders: 2, receivers: 2 },
  { name: 'hash with a string, to another thread', exchange: hash, ...texts, senders: 1, receivers: 2, onlyTarget: 1 },
  { name: 'rebalance, 2 to 2', exchange: rebalance, ...numbers, senders: 2, receivers: 2 },
  { name: 'broadcast, 1 to 2', exchange: broadcast, ...numbers, senders: 1, receivers: 2 },
];

const millions = Number(process.argv[2] ?? 40);
const wire = process.argv[3] ?? 'thread';
const workerHost = nodeWorkerHost(new URL('./exchange-worker.ts', import.meta.url));
const cluster = await startLocalCluster({
  ports: nodePorts,
  catalog: benchCatalog,
  startTaskManager: async (link) => {
    const machine = { ...link, ports: nodePorts, workerHost };
    if (wire === 'thread') return startTaskManager({ ...machine, slotCount: 2 });
    const host = '127.0.0.1';
    const data = { bindHost: host, host, firstPort: 0, token: null, tls: null };
    const limits = { linkChecksums: wire !== 'tcp-unchecked' };
    const start = (): Promise<TaskManager> => startTaskManager({ ...machine, slotCount: 1, data, limits });
    const both = [await start(), await start()];
    return {
      registered: Promise.all(both.map(({ registered }) => registered)).then(() => undefined),
      close: async () => {
        await Promise.all(both.map((each) => each.close()));
      },
    };
  },
});
for (const each of cases) {
  await cluster.dispatcher.submit(graphOf(each, 2e6)).then((job) => job.result);
  const rows = millions * 1e6;
  const started = performance.now();
  const cpu = process.cpuUsage();
  const job = await cluster.dispatcher.submit(graphOf(each, rows));
  const { state, error } = await job.result;
  if (state !== 'FINISHED') throw error ?? new Error(state);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const perSecond = (rows / seconds / 1e6).toFixed(1);
  const nanoseconds = (((user + system) * 1000) / rows).toFixed(1);
  console.log(`${each.name.padEnd(44)} ${perSecond.padStart(8)} M rows/s ${nanoseconds.padStart(7)} CPU-ns a row`);
}
await cluster.close();

function graphOf({ exchange, schema, senders, receivers, batchRows, onlyTarget = -1 }: Case, rows: number): JobGraph {
  const edge = edgeId('edge');
  const [from, to] = [vertexId('in'), vertexId('out')];
  const options = { rows: rows / senders, batchRows, targets: receivers, onlyTarget };
  const spec = { connector: 'repeat', options, format: null, schema, metadata: [], filters: [] };
  const projection = schema.fields.map((_, index) => index);
  const source = { ...spec, stepId: 'in', projection, errors: { kind: 'fail' } } as const;
  const changelog = 'append';
  const sink = { stepId: 'out', connector: 'count', options: {}, format: null, uniqueKey: [] };
  const chains: Readonly<Record<'in' | 'out', readonly ChainNode[]>> = {
    in: [{ kind: 'source', spec: source, output: schema, watermark: null }],
    out: [{ kind: 'sink', spec: { ...sink, input: schema, changelog }, input: schema }],
  };
  return {
    version: 1,
    name: 'exchange',
    maxParallelism: 128,
    checkpoint: null,
    restart: { kind: 'none' },
    vertices: [
      { id: from, name: 'in', parallelism: senders, chain: chains.in, inputs: [], outputs: [edge] },
      { id: to, name: 'out', parallelism: receivers, chain: chains.out, inputs: [edge], outputs: [] },
    ],
    edges: [{ id: edge, from, to, exchange, schema, changelog, uniqueKeys: [] }],
  };
}
