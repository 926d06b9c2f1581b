import { describe, expect, it } from '@jest/globals';
import { createTopic, getBroker, javaConsume, javaProduce, uniqueName } from '../environment/index.ts';
import { bytes, readAll, writeAll } from './connector-harness.ts';

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const RECORDS = 500;

const value = (codec: string, index: number): string => `${codec} ${index} ${'hello world '.repeat(index % 30)}`;

describe.each(['3.9', '4.1'] as const)('codecs, with Kafka %s', (kafka) => {
  it('that Java writes are read', async () => {
    const { brokers } = await getBroker({ kafka });
    const topic = await createTopic(brokers, { name: uniqueName('codecs-in') });
    await javaProduce({
      brokers,
      clients: kafka,
      producers: Object.fromEntries(
        codecs.map((codec) => [codec, { 'compression.type': codec, 'linger.ms': '20', 'batch.size': '20000' }]),
      ),
      operations: codecs.flatMap((codec) => [
        ...Array.from({ length: RECORDS }, (_, index) => ({
          op: 'send' as const,
          producer: codec,
          topic,
          key: codec,
          value: value(codec, index),
        })),
        { op: 'flush' as const, producer: codec },
      ]),
    });
    const records = await readAll({ brokers, topic });
    expect(records.map(({ offset }) => offset)).toEqual(Array.from({ length: RECORDS * codecs.length }, (_, i) => i));
    expect(records.map((each) => each.value)).toEqual(
      codecs.flatMap((codec) => Array.from({ length: RECORDS }, (_, index) => value(codec, index))),
    );
  });

  it('that the sink writes are read by Java', async () => {
    const { brokers } = await getBroker({ kafka });
    const topic = await createTopic(brokers, { name: uniqueName('codecs-out') });
    for (const compression of codecs) {
      const rows = Array.from({ length: RECORDS }, (_, index) => [bytes(value(compression, index))]);
      await writeAll({ brokers, topic, compression, batchBytes: '20KiB' }, rows);
    }
    const records = await javaConsume({ brokers, topic, clients: kafka });
    expect(records.map((each) => String(each.value))).toEqual(
      codecs.flatMap((codec) => Array.from({ length: RECORDS }, (_, index) => value(codec, index))),
    );
  });
});
