import { describe, expect, it, jest } from '@jest/globals';

import { bidQueries, type Bid } from '../../bench/nexmark/queries.ts';
import { createTopic, getBroker, javaConsume, produceRecords } from '../environment/index.ts';
import { runMillrace } from './run-millrace.ts';

jest.setTimeout(120_000);

const BIDS = 3000;

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
});
