import { describe, expect, it } from '@jest/globals';
import { RowKind, types, type Field } from '../../src/core/index.ts';
import { createTopic, getBroker, javaConsume, javaProduce, uniqueName } from '../environment/index.ts';
import { bytes, readAll, sinkSpec, writeAll } from './connector-harness.ts';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const KEYED: readonly Field[] = [
  { name: 'value', type: types.bytes },
  { name: 'id', type: types.string },
];

describe('a kafka sink', () => {
  it('gives every key the partition that Java gives it', async () => {
    const { brokers } = await getBroker();
    const keys = Array.from({ length: 300 }, (_, i) => `key-${'x'.repeat(i % 13)}-${i}-ä€`);
    const ours = await createTopic(brokers, { name: uniqueName('ours'), partitions: 7 });
    const theirs = await createTopic(brokers, { name: uniqueName('theirs'), partitions: 7 });
    await writeAll(
      { brokers, topic: ours, key: ['id'] },
      keys.map((key) => [bytes(`v ${key}`), key]),
      { fields: KEYED },
    );
    await javaProduce({
      brokers,
      producers: { p: {} },
      operations: [
        ...keys.map((key) => ({ op: 'send' as const, producer: 'p', topic: theirs, key, value: 'v' })),
        { op: 'flush' as const, producer: 'p' },
      ],
    });
    const partitions = async (topic: string) =>
      new Map((await javaConsume({ brokers, topic })).map(({ key, partition }) => [String(key), partition]));
    expect(await partitions(ours)).toEqual(await partitions(theirs));
    const values = (await javaConsume({ brokers, topic: ours })).map(({ key, value }) => [String(key), String(value)]);
    expect(values.sort()).toEqual(keys.map((key) => [key, `v ${key}`]).sort());
  });

  it('writes headers and timestamps of fields, and null keys', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('surroundings') });
    const fields: readonly Field[] = [
      { name: 'value', type: types.bytes },
      { name: 'id', type: types.string },
      { name: 'at', type: types.timestamp },
      { name: 'head', type: types.map(types.string, types.string) },
    ];
    await writeAll(
      { brokers, topic, key: ['id'], timestamp: 'at', headers: 'head' },
      [
        [bytes('a'), 'k', T0, new Map([['h', 'one'], ['ü', 'two']])],
        [bytes('b'), null, T0 - 86_400_000 * 400, null],
        [bytes(''), 'k', T0 + 5, new Map([['n', null]])],
      ],
      { fields },
    );
    const records = await javaConsume({ brokers, topic });
    expect(
      records.map(({ key, value, timestamp, headers }) => [
        key === null ? null : String(key),
        String(value),
        timestamp,
        headers.map((header) => [header.key, header.value === null ? null : String(header.value)]),
      ]),
    ).toEqual([
      ['k', 'a', T0, [['h', 'one'], ['ü', 'two']]],
      [null, 'b', T0 - 86_400_000 * 400, []],
      ['k', '', T0 + 5, [['n', null]]],
    ]);
  });

  it('turns the deletes of an upsert stream into tombstones', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('upsert') });
    const rows = ['a1', 'a1', 'a2', 'b1', 'a2'].map((value) => [bytes(value), value.slice(0, 1)]);
    const { insert, updateBefore, updateAfter, delete: gone } = RowKind;
    await writeAll({ brokers, topic, key: ['id'] }, rows, {
      fields: KEYED,
      changelog: 'upsert',
      uniqueKey: [1],
      rowKinds: [insert, updateBefore, updateAfter, insert, gone],
    });
    const records = await readAll({ brokers, topic });
    expect(records.map(({ key, value }) => [key, value])).toEqual([['a', 'a1'], ['a', 'a2'], ['b', 'b1'], ['a', null]]);
    await expect(
      writeAll(
        { brokers, topic, key: ['id'] },
        [[bytes('x'), null]],
        { fields: KEYED, changelog: 'upsert', uniqueKey: [1] },
      ),
    ).rejects.toThrow('MR-KAFKA-NULL-KEY');
  });

  it('says what is wrong with its options', () => {
    type More = Parameters<typeof sinkSpec>[1];
    const wrong = (raw: Readonly<Record<string, unknown>>, more: More = { fields: KEYED }) => () =>
      sinkSpec({ brokers: 'b:1', topic: 't', ...raw }, more);
    expect(wrong({ key: ['idd'] })).toThrow('did you mean `id`?');
    expect(wrong({ key: ['id', 'value'], keyFormat: 'raw' })).toThrow('exactly one key field');
    expect(wrong({ delivery: 'exactly-once', commitsTopic: 't' })).toThrow('cannot be the `topic` too');
    expect(wrong({ headers: 'id' })).toThrow('map<string, string>');
    expect(wrong({ timestamp: 'id' })).toThrow('of type timestamp');
    expect(wrong({}, { fields: KEYED, changelog: 'upsert', uniqueKey: [1] })).toThrow('`key` must be [id] here');
    expect(wrong({ acks: 'all' })).toThrow('did you mean `delivery`?');
  });

  it('refuses a topic that is not there', async () => {
    const { brokers } = await getBroker();
    await expect(writeAll({ brokers, topic: uniqueName('nowhere') }, [])).rejects.toMatchObject({
      code: 'MR-KAFKA-TOPIC-NOT-FOUND',
    });
  });

  it('says which setting forbids a large record', async () => {
    const { brokers } = await getBroker();
    const topic = await createTopic(brokers, { name: uniqueName('limited'), config: { 'max.message.bytes': '10000' } });
    const large = [[bytes('x'.repeat(20_000))]];
    await expect(writeAll({ brokers, topic }, large)).rejects.toMatchObject({
      code: 'MR-KAFKA-MESSAGE-TOO-LARGE',
      message: expect.stringContaining('raise `max.message.bytes` of the topic'),
    });
    await expect(writeAll({ brokers, topic, maxRequestBytes: '10KiB' }, large)).rejects.toThrow(
      'MR-KAFKA-RECORD-TOO-LARGE',
    );
  });
});
