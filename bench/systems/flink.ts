/** Apache Flink's SQL on the same broker, in one JVM, given the producer settings that the engine's sink has. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FLINK_QUERIES, buildFlinkJob, runFlinkQuery } from '../flink/run.ts';
import type { FlinkQuery, FlinkRun } from '../flink/run.ts';
import type { System } from './system.ts';

const SINK_PROPERTIES = Object.freeze({
  acks: 'all',
  'enable.idempotence': 'true',
  'compression.type': 'none',
  'batch.size': String(1 << 20),
  'linger.ms': '5',
  'max.request.size': String(16 << 20),
  'buffer.memory': String(64 << 20),
});

/** Where 2 GiB are not enough for 5 M events: q7's join has no bounds of time, so all bids are kept. */
const HEAP_MEGABYTES: ReadonlyMap<string, number> = new Map([['q7', 8192]]);

let lastRun: FlinkRun | null = null;

export const flink: System = {
  name: 'flink',
  describe: () =>
    lastRun === null
      ? 'not run'
      : `Flink ${lastRun.flinkVersion} SQL, Java ${lastRun.javaVersion}, flags ${lastRun.jvmFlags.join(' ')}, object ` +
        `reuse ${lastRun.objectReuse ? 'on' : 'off'}, sink ${lastRun.guarantee}, ` +
        (lastRun.checkpointIntervalMs === 0
          ? 'no checkpoints, '
          : `checkpoints to disk every ${lastRun.checkpointIntervalMs} ms, `) +
        'producer ' +
        Object.entries(SINK_PROPERTIES)
          .map(([key, value]) => `${key}=${value}`)
          .join(' '),
  prepare: async () => {
    await buildFlinkJob((text) => process.stderr.write(`${text}\n`));
  },
  supports: ({ name }) => FLINK_QUERIES.some((known) => known === name),
  run: async ({ query, brokers, inputTopics, outputTopic, events, parallelism, delivery }) => {
    const checkpointDirectory = await mkdtemp(join(tmpdir(), 'bench-flink-'));
    const heapMegabytes = HEAP_MEGABYTES.get(query.name);
    const run = await runFlinkQuery({
      ...(heapMegabytes === undefined ? {} : { heapMegabytes }),
      query: flinkQuery(query.name),
      brokers,
      inputTopics,
      outputTopic,
      parallelism,
      guarantee: delivery.guarantee,
      checkpointIntervalMs: delivery.checkpointIntervalMs ?? 0,
      checkpointDirectory,
      sinkProperties: SINK_PROPERTIES,
    }).finally(() => rm(checkpointDirectory, { recursive: true, force: true }));
    if (run.records !== events) throw new Error(`Flink read ${run.records} records of ${events}`);
    lastRun = run;
    return { cold: run.cold, warm: run.warm };
  },
};

function flinkQuery(name: string): FlinkQuery {
  const query = FLINK_QUERIES.find((known) => known === name);
  if (query === undefined) throw new Error(`bench/flink has no query ${name}`);
  return query;
}
