/*
 * CPU time per record of writing a topic through the kafka sink: record batches, checksums, requests, acknowledgements;
 * values are copied, not encoded.
 *
 *   KAFKA_BROKERS=… node bench/micro/kafka-sink.ts [millions of records] [rounds] [option=value …]
 */
import { Kafka, logLevel } from 'kafkajs';
import { bid, sinkSpec, valueBatch, writeRecords } from './kafka-subjects.ts';

const PARTITIONS = 4;
const RECORD_BYTES = 150;
const BATCH_ROWS = 2000;

/** `name=value` */
function settingOf(argument: string): [string, string] {
  const [name = '', value = ''] = argument.split('=', 2);
  return [name, value];
}

const [millions = '5', rounds = '3', ...settings] = process.argv.slice(2);
const brokers = process.env['KAFKA_BROKERS'] ?? 'localhost:9092';
const records = Number(millions) * 1e6;
const given: Record<string, string> = Object.fromEntries(settings.map((setting) => settingOf(setting)));
const batch = valueBatch(bid(RECORD_BYTES), BATCH_ROWS);
const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
await admin.connect();
for (let round = 0; round < Number(rounds); round++) {
  const topic = `bench-sink-${process.pid}-${round}`;
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }] });
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await writeRecords(sinkSpec({ brokers, topic, ...given }), batch, records);
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `${records} records, ${(records / seconds / 1e6).toFixed(2)} M/s, ` +
      `${((user + system) / records).toFixed(3)} CPU-µs/record (user ${(user / records).toFixed(3)}), ` +
      `${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`,
  );
  await admin.deleteTopics({ topics: [topic] });
}
await admin.disconnect();
