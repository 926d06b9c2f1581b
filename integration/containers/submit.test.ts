import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { runMillrace } from '../cli/run-millrace.ts';
import { judge } from '../crash/output-check.ts';
import { createTopic, javaConsume, produceRecords, uniqueName } from '../environment/index.ts';
import { cluster } from './container-cluster.ts';
import { REST_TOKEN } from './topology.ts';
import { CLEAN, DEADLINE_MS, FULL } from './full-cluster.ts';

jest.setTimeout(DEADLINE_MS);

const RECORDS = 20_000;
const USERS = 50;

describe('a job file that is submitted from outside', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-submit-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is run by the cluster, and its output is there exactly once', async () => {
    const full = await cluster(FULL);
    const { brokers, innerBrokers } = full;
    const input = await createTopic(brokers, { name: uniqueName('clicks'), partitions: 3 });
    const output = await createTopic(brokers, { name: uniqueName('totals'), partitions: 2 });
    const records = Array.from({ length: RECORDS }, (_, index) => ({
      value: JSON.stringify({ user: `u${index % USERS}`, amount: index }),
      partition: index % 3,
    }));
    await produceRecords(brokers, input, records);
    const file = join(folder, 'totals.yaml');
    writeFileSync(file, jobFile({ name: uniqueName('totals'), brokers: innerBrokers, input, output }));

    const environment = { MILLRACE_TOKEN: REST_TOKEN };
    const submitted = await runMillrace(['submit', file, '--dispatcher', full.client().url, '--json'], { environment });
    expect(submitted).toMatchObject({ exitCode: 0 });
    const { jobId } = JSON.parse(submitted.output) as { readonly jobId: string };
    await full.job(jobId, 'to finish', ({ state }) => state === 'FINISHED');

    const found = await javaConsume({ brokers, topic: output });
    const rows = found.map(({ value }) => canonical(JSON.parse(value?.toString('utf8') ?? 'null') as Total));
    expect(judge(expectedTotals(), rows)).toMatchObject(CLEAN);
  });
});

interface Total {
  readonly user: string;
  readonly count: number;
  readonly sum: number;
}

function canonical({ user, count, sum }: Total): string {
  return JSON.stringify([user, count, sum]);
}

function expectedTotals(): readonly string[] {
  const count = RECORDS / USERS;
  return Array.from({ length: USERS }, (_, user) => {
    const sum = count * user + (USERS * count * (count - 1)) / 2;
    return canonical({ user: `u${user}`, count, sum });
  });
}

interface Names {
  readonly name: string;
  readonly brokers: string;
  readonly input: string;
  readonly output: string;
}

function jobFile({ name, brokers, input, output }: Names): string {
  return `name: ${name}
parallelism: 3
checkpoint: 1s
steps:
  - id: in
    source: kafka
    with: {brokers: "${brokers}", topic: ${input}, format: json, end: latest}
    schema: {user: string, amount: long}
  - id: totals
    key: [user]
    window: {count: ${RECORDS / USERS}}
    aggregate: {count: COUNT(*), sum: SUM(amount)}
  - id: out
    sink: kafka
    with: {brokers: "${brokers}", topic: ${output}, format: json, key: [user], delivery: exactly-once}
`;
}
