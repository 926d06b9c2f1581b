/** Apache Flink's SQL on the same broker, in one JVM, given the producer settings that the engine's sink has. */
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

let lastRun: FlinkRun | null = null;

export const flink: System = {
  name: 'flink',
  describe: () =>
    lastRun === null
      ? 'not run'
      : `Flink ${lastRun.flinkVersion} SQL, Java ${lastRun.javaVersion}, flags ${lastRun.jvmFlags.join(' ')}, object ` +
        `reuse ${lastRun.objectReuse ? 'on' : 'off'}, sink ${lastRun.guarantee}, producer ` +
        Object.entries(SINK_PROPERTIES)
          .map(([key, value]) => `${key}=${value}`)
          .join(' '),
  prepare: async () => {
    await buildFlinkJob((text) => process.stderr.write(`${text}\n`));
  },
  run: async ({ query, brokers, inputTopic, outputTopic, events, parallelism }) => {
    const run = await runFlinkQuery({
      query: flinkQuery(query.name),
      brokers,
      inputTopic,
      outputTopic,
      parallelism,
      guarantee: 'at-least-once',
      sinkProperties: SINK_PROPERTIES,
    });
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
