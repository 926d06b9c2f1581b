/* Flink as the peer of benchmarks and as the oracle of SQL: bench/flink. */
import { describe, expect, it } from '@jest/globals';

import { flinkAnswers, runFlinkQuery, type FlinkGuarantee } from '../../bench/flink/run.ts';
import { createTopic, getBroker, javaConsume, produceRecords } from './index.ts';

const FLINK_MS = 300_000;

function bid(auction: number): string {
  return JSON.stringify({
    auction,
    bidder: 7,
    price: 1001,
    channel: 'Google',
    url: 'https://example.com/a/b/c',
    dateTime: '2015-07-15T00:00:00.001Z',
    extra: 'é',
  });
}

describe('Flink', () => {
  it.each<FlinkGuarantee>(['at-least-once', 'exactly-once'])(
    'computes a query %s and counts what it read',
    async (guarantee) => {
      const { brokers } = await getBroker();
      const inputTopic = await createTopic(brokers, { partitions: 2 });
      const outputTopic = await createTopic(brokers, { partitions: 2 });
      await produceRecords(brokers, inputTopic, Array.from({ length: 500 }, (_, auction) => ({ value: bid(auction) })));
      const inputTopics = { bid: inputTopic };
      const run = await runFlinkQuery({ query: 'q1', brokers, inputTopics, outputTopic, parallelism: 2, guarantee });
      expect(run).toMatchObject({ records: 500, parallelism: 2, guarantee, objectReuse: true });
      expect(run.cold.records).toBe(500);
      expect(run.warm.cpuSeconds).toBeLessThan(run.cold.cpuSeconds);
      expect(run.warm.wallSeconds).toBeLessThan(run.cold.wallSeconds);
      const rows = (await javaConsume({ brokers, topic: outputTopic })).map((record) => String(record.value));
      expect(rows).toHaveLength(500);
      expect(rows).toContain(
        '{"auction":3,"bidder":7,"price":908.908,"dateTime":"2015-07-15T00:00:00.001Z","extra":"é"}',
      );
    },
    FLINK_MS,
  );

  it(
    'answers every query, failing ones with their error',
    async () => {
      const { answers } = await flinkAnswers({
        ddl: ["CREATE TEMPORARY VIEW t AS SELECT * FROM (VALUES (1, 'a'), (2, CAST(NULL AS STRING))) AS v(i, s)"],
        queries: [
          { id: 'sum', sql: 'SELECT i + 1, s FROM t ORDER BY i' },
          { id: 'zero', sql: 'SELECT i / 0 FROM t' },
          { id: 'unknown', sql: 'SELECT nope FROM t' },
          { id: 'nested', sql: "SELECT ARRAY[1, NULL], MAP['k', 1.50], TIMESTAMP '2024-02-29 10:00:00'" },
        ],
      });
      expect(answers).toMatchObject([
        { id: 'sum', columns: [{ type: 'INT NOT NULL' }, {}], rows: [['2', 'a'], ['3', null]] },
        { id: 'zero', error: 'ArithmeticException: / by zero' },
        { id: 'unknown', error: expect.stringContaining("Column 'nope' not found") },
        { id: 'nested', rows: [[['1', null], [['k', '1.50']], '2024-02-29T10:00:00']] },
      ]);
    },
    FLINK_MS,
  );
});
