import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { judge } from '../crash/output-check.ts';
import {
  createTopic,
  getBroker,
  independentKafka,
  javaConsume,
  javaTail,
  uniqueName,
  type JavaRecord,
} from '../environment/index.ts';
import { INPUT_PARTITIONS, PacedInput } from './paced-input.ts';
import { TestCluster } from './test-cluster.ts';

jest.setTimeout(300_000);

/** Rows stay with the subtask that reads them: each of the two is a region of its own. */
const jobFile = (name: string, brokers: string) => `name: ${name}
parallelism: 2
checkpoint: {interval: 500ms, timeout: 60s}
restart: {strategy: fixed-delay, delay: 1s, attempts: 1000}
steps:
  - id: in
    source: kafka
    with: {brokers: "${brokers}", topic: ${name}-in, format: json, fetchWait: 100ms}
    schema: {key: string, seq: long, at: timestamp}
  - id: kept
    select: {key: key, seq: seq}
  - id: out
    sink: kafka
    with: {brokers: "${brokers}", topic: ${name}-out, format: json, delivery: exactly-once}
`;

const rowOf = ({ value }: JavaRecord): { readonly key: string; readonly seq: number } =>
  JSON.parse(value?.toString('utf8') ?? 'null') as { key: string; seq: number };
const canonical = (record: JavaRecord): string => {
  const { key, seq } = rowOf(record);
  return `${key} ${seq}`;
};
const partitionOf = (record: JavaRecord): number => Number(rowOf(record).key.slice(1)) % INPUT_PARTITIONS;

/** The longest time without an append, among those after `sinceMs`; records are in order. */
function longestGap(records: readonly JavaRecord[], sinceMs: number) {
  const times = records.map(({ timestamp }) => timestamp).sort((a, b) => a - b);
  return times.reduce(
    (longest, at, index) => {
      const before = times[index - 1] ?? at;
      const isLonger = at >= sinceMs && at - before > longest.to - longest.from;
      return isLonger ? { from: before, to: at } : longest;
    },
    { from: 0, to: 0 },
  );
}

describe('two regions of a job on two TaskManagers', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-regions-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('go on without each other: kill -9 of one TaskManager stops nothing of the other', async () => {
    const { brokers } = await getBroker();
    const name = uniqueName('regions');
    await createTopic(brokers, { name: `${name}-in`, partitions: INPUT_PARTITIONS });
    const config = { 'message.timestamp.type': 'LogAppendTime' };
    await createTopic(brokers, { name: `${name}-out`, partitions: 2, config });
    const cluster = await TestCluster.start({ folder, dispatchers: 1, taskManagers: 3, slots: 1, zookeeper: null });
    const input = new PacedInput(independentKafka(brokers), `${name}-in`, 500);
    const seen: string[] = [];
    const tail = javaTail({ brokers, topic: `${name}-out` }, (record) => seen.push(canonical(record)));
    try {
      const jobId = await cluster.submit(jobFile(name, brokers));
      await input.start();
      const { millrace: before } = await cluster.running(jobId, 2);
      const [victim, survivor] = before.tasks;
      if (victim === undefined || survivor === undefined) throw new Error('the job has fewer than two tasks');
      const killedAtMs = Date.now();
      await cluster.taskManagerOf(victim).kill();
      await cluster.job(jobId, 'to restart', ({ millrace }) => millrace.restarts === 1);
      const { millrace: after } = await cluster.running(jobId, before['last-checkpoint']?.id);
      const now = after.tasks.find(({ subtask }) => subtask === survivor.subtask);
      const failure = await cluster.client().lastFailure(jobId);
      expect({ task: now, failure }).toMatchObject({ task: survivor });
      expect(after.tasks.find(({ subtask }) => subtask === victim.subtask)?.attempt).not.toBe(victim.attempt);

      await input.stop();
      const given = await javaConsume({ brokers, topic: `${name}-in` });
      await cluster.until(`${given.length} rows`, async () => (seen.length >= given.length ? true : undefined));
      await cluster.cancelled(jobId);
      const written = await javaConsume({ brokers, topic: `${name}-out` });
      const verdict = judge(given.map(canonical), written.map(canonical));
      expect(verdict).toMatchObject({ lost: 0, duplicated: 0, unexpected: 0, examples: [] });

      // While the one was away, the other wrote on.
      const gaps = [...Map.groupBy(written, partitionOf).values()].map((own) => longestGap(own, killedAtMs));
      const away = gaps.reduce((longest, gap) => (gap.to - gap.from > longest.to - longest.from ? gap : longest));
      expect(away.to - away.from).toBeGreaterThanOrEqual(1000);
      // Not at its ends: partitions of one task are not written to in the same instant.
      const edgeMs = (away.to - away.from) / 4;
      const meanwhile = written.filter(({ timestamp: at }) => at > away.from + edgeMs && at < away.to - edgeMs);
      expect(new Set(meanwhile.map(partitionOf)).size).toBe(INPUT_PARTITIONS / 2);
    } finally {
      await cluster.close();
      await input.stop().catch(() => undefined);
      await tail.stop();
    }
  });
});
