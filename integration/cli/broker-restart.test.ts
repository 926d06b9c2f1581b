import { describe, expect, it, jest } from '@jest/globals';

import { bidQueries, type Bid } from '../../bench/nexmark/queries.ts';
import { restartBroker, waitUntil } from '../../scripts/services/index.ts';
import { createTopic, getBroker, javaConsume, uniqueName, withAdmin } from '../environment/index.ts';
import { runMillrace, startMillrace } from './run-millrace.ts';

jest.setTimeout(300_000);

const BIDS = 60_000;
const BIDS_PER_SECOND = 6000;

const LOAD = `name: load
steps:
  - id: bids
    source: nexmark
    with: {kind: bid, events: ${BIDS}, rate: ${BIDS_PER_SECOND}}
  - id: out
    sink: kafka
    with:
      brokers: \${KAFKA_BROKERS}
      topic: \${INPUT_TOPIC}
      format: json
`;

function recordCount(brokers: string, topic: string): Promise<number> {
  return withAdmin(brokers, async (admin) => {
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets.reduce((sum, { high }) => sum + Number(high), 0);
  });
}

/** Prices as numbers, so that 1.50 and 1.5 are one. */
function canonical(rows: readonly Readonly<Record<string, unknown>>[]): string[] {
  return rows.map((row) => JSON.stringify({ ...row, price: Number(row['price']).toFixed(3) })).sort();
}

describe('a broker that dies in the middle of q1 and comes back', () => {
  it('loses and repeats nothing, of what is written to it and of what is read from it', async () => {
    const { name, brokers } = await getBroker({ private: uniqueName('restart') });
    const input = await createTopic(brokers, { partitions: 2 });
    const output = await createTopic(brokers, { partitions: 2 });
    const settings = Object.entries({ KAFKA_BROKERS: brokers, INPUT_TOPIC: input, OUTPUT_TOPIC: output });
    const flags = ['-q', ...settings.flatMap(([key, value]) => ['--set', `${key}=${value}`])];
    const deadlineMs = 240_000;

    const q1 = startMillrace(['run', 'examples/nexmark/q1.yaml', ...flags], { deadlineMs });
    const load = startMillrace(['run', '-', ...flags], { input: LOAD, deadlineMs });
    const arrived = (count: number): Promise<true> => {
      const condition = async () => ((await recordCount(brokers, output)) >= count ? true : undefined);
      return waitUntil(`${count} rows in ${output}`, condition, { timeoutMs: 120_000, intervalMs: 200 });
    };
    await arrived(BIDS / 4);
    await restartBroker(name, 1, { signal: 'SIGKILL' });
    expect(await load.ended).toMatchObject({ exitCode: 0, errors: '' });
    await arrived(BIDS);
    q1.signal('SIGINT');
    expect((await q1.ended).exitCode).toBe(130);

    const bids = await runMillrace(['datagen', '--nexmark', 'bid', '-n', String(BIDS)]);
    const compute = bidQueries.get('q1')?.compute;
    const expected = bids.output.trimEnd().split('\n').map((line) => compute?.(JSON.parse(line) as Bid) ?? {});
    const records = await javaConsume({ brokers, topic: output, timeoutMs: 60_000 });
    const rows = records.map(({ value }) => JSON.parse(value?.toString('utf8') ?? '') as Record<string, unknown>);
    expect(rows).toHaveLength(BIDS);
    expect(canonical(rows)).toEqual(canonical(expected));
  });
});
