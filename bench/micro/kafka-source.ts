/*
 * CPU time per record of reading a topic through the kafka source: fetch, checksums, record walk; no decoding. The
 * topic is made first.
 *
 *   KAFKA_BROKERS=… node bench/micro/kafka-source.ts [millions of records] [rounds] [option=value …]
 */
import { parseOptions, types, type SourceSpec } from '../../src/core/index.ts';
import { nodePorts } from '../../src/core/node-ports.ts';
import { createKafkaSource } from '../../src/connectors/index.ts';
import { bid, fillTopic, taskContext, untouchedFormat } from './kafka-subjects.ts';

const PARTITIONS = 4;
const RECORD_BYTES = 189;

async function readAll(spec: SourceSpec): Promise<number> {
  const source = createKafkaSource([untouchedFormat]);
  const enumerator = source.createEnumerator(
    spec,
    { jobName: 'bench', stepId: 'source', ports: nodePorts, rack: null, run: null },
  );
  await enumerator.open();
  const splits = await enumerator.discover();
  await enumerator.close();
  const reader = source.createReader(spec);
  await reader.open(taskContext('source'));
  reader.addSplits(splits);
  reader.noMoreSplits();
  let count = 0;
  let yieldedAt = performance.now();
  while (!reader.isFinished) {
    const batch = reader.poll();
    if (batch === null) await reader.available();
    else count += batch.rowCount;
    if (performance.now() - yieldedAt > 5) {
      await nodePorts.macrotasks.yield();
      yieldedAt = performance.now();
    }
  }
  await reader.close();
  return count;
}

/** `name=value` */
function settingOf(argument: string): [string, string] {
  const [name = '', value = ''] = argument.split('=', 2);
  return [name, value];
}

const [millions = '5', rounds = '3', ...settings] = process.argv.slice(2);
const brokers = process.env['KAFKA_BROKERS'] ?? 'localhost:9092';
const compression = settings.find((setting) => setting.startsWith('compression='))?.slice(12) ?? 'none';
const topic = `bench-source-${RECORD_BYTES}-${millions}-${compression}`;
await fillTopic(
  { brokers, topic, partitions: PARTITIONS, records: Number(millions) * 1e6, value: bid(RECORD_BYTES), compression },
);
const given: Record<string, string> = Object.fromEntries(
  settings.filter((setting) => !setting.startsWith('compression=')).map((setting) => settingOf(setting)),
);
const source = createKafkaSource([untouchedFormat]);
const { values, problems } = parseOptions(source.options, { brokers, topic, end: 'latest', ...given });
if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
const spec: SourceSpec = {
  stepId: 'source',
  connector: 'kafka',
  options: values,
  format: { name: 'untouched', options: {} },
  schema: { fields: [{ name: 'value', type: types.bytes }] },
  metadata: [],
  projection: [0],
  filters: [],
  errors: { kind: 'fail' },
};
for (let round = 0; round < Number(rounds); round++) {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  const count = await readAll(spec);
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - startedAt) / 1000;
  const perRecord = (user + system) / count;
  console.log(
    `${count} records, ${(count / seconds / 1e6).toFixed(2)} M/s, ${perRecord.toFixed(3)} CPU-µs/record ` +
      `(user ${(user / count).toFixed(3)}), ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`,
  );
}
