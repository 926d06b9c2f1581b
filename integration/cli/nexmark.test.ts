import { describe, expect, it, jest } from '@jest/globals';

import { canonicalRow } from '../../bench/compare.ts';
import { runFlinkQuery } from '../../bench/flink/run.ts';
import { bidQueries, queries, type Bid } from '../../bench/nexmark/queries.ts';
import { createTopic, getBroker, javaConsume, produceRecords } from '../environment/index.ts';
import { runMillrace } from './run-millrace.ts';

jest.setTimeout(120_000);
/** Flink alone takes a minute on a machine that has other things to do. */
const FLINK_TEST_MS = 600_000;

const BIDS = 3000;
const LATE_BIDS = 2000;
/** In the middle of a window. */
const FIRST_TIME = Date.UTC(2026, 0, 1, 12, 0, 7);

/** Numbers as exact decimals, so that 1.50 and 1.5 are one. */
function canonical(row: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(row).map(([name, value]) => {
    const isNumeric = typeof value === 'number' || (typeof value === 'string' && /^-?\d+\.\d+$/.test(value));
    return [name, isNumeric ? Number(value).toFixed(3) : value];
  });
  return JSON.stringify(Object.fromEntries(entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))));
}

describe('examples/nexmark', () => {
  it.each([...bidQueries.values()])('$name says what a plain program says', async ({ jobFile, compute }) => {
    const generated = await runMillrace(['datagen', '--nexmark', 'bid', '-n', String(BIDS), '--seed', '3']);
    const lines = generated.output.trimEnd().split('\n');
    expect(lines).toHaveLength(BIDS);
    const expected = lines.map((line) => compute(JSON.parse(line) as Bid)).filter((row) => row !== null);
    expect(expected.length).toBeGreaterThan(0);

    const { brokers } = await getBroker();
    const input = await createTopic(brokers, { partitions: 3 });
    const output = await createTopic(brokers, { partitions: 2 });
    await produceRecords(brokers, input, lines.map((value) => ({ value })));
    const { exitCode, errors } = await runMillrace([
      ...['run', jobFile, '--parallelism', '2', '--set', `KAFKA_BROKERS=${brokers}`, '--set', 'END=latest'],
      ...['--set', `INPUT_TOPIC=${input}`, '--set', `OUTPUT_TOPIC=${output}`],
    ]);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: expect.stringContaining('FINISHED') });

    const records = await javaConsume({ brokers, topic: output });
    const rows = records.map(({ value }) => JSON.parse(value?.toString('utf8') ?? '') as Record<string, unknown>);
    expect(rows.map((row) => canonical(row)).sort()).toEqual(expected.map((row) => canonical(row)).sort());
  });

  it('q12e says what Flink says about bids that come up to 3 s late', async () => {
    const generated = await runMillrace(['datagen', '--nexmark', 'bid', '-n', String(LATE_BIDS), '--seed', '5']);
    const bids = generated.output.trimEnd().split('\n').map((line, index) => {
      const time = new Date(FIRST_TIME + index * 20 - ((index * 7919) % 3000)).toISOString();
      return { value: JSON.stringify({ ...(JSON.parse(line) as Bid), dateTime: time }) };
    });
    expect(bids).toHaveLength(LATE_BIDS);
    const { brokers } = await getBroker();
    const input = await createTopic(brokers, { partitions: 3 });
    await produceRecords(brokers, input, bids);
    const ours = await createTopic(brokers, { partitions: 2 });
    const flinks = await createTopic(brokers, { partitions: 2 });

    const { jobFile } = queries.get('q12e') ?? { jobFile: '' };
    const { exitCode, errors } = await runMillrace([
      ...['run', jobFile, '--parallelism', '2', '--set', `KAFKA_BROKERS=${brokers}`, '--set', 'END=latest'],
      ...['--set', `INPUT_TOPIC=${input}`, '--set', `OUTPUT_TOPIC=${ours}`],
    ]);
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: expect.stringContaining('FINISHED') });
    const run = await runFlinkQuery({ query: 'q12e', brokers, inputTopics: { bid: input }, outputTopic: flinks });
    expect(run.records).toBe(LATE_BIDS);

    const [got, expected] = [await canonicalRows(brokers, ours), await canonicalRows(brokers, flinks)];
    expect(got).toEqual(expected);
    const starts = new Set(expected.map((row) => /starttime=(t\d+)/.exec(row)?.[1]));
    expect(starts.size).toBeGreaterThanOrEqual(4);
  }, FLINK_TEST_MS);
});

async function canonicalRows(brokers: string, topic: string): Promise<readonly string[]> {
  const records = await javaConsume({ brokers, topic });
  return records.map(({ value }) => canonicalRow(value?.toString('utf8') ?? '')).sort();
}
