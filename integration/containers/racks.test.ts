import { describe, expect, it, jest } from '@jest/globals';

import { judge } from '../crash/output-check.ts';
import { createTopic, javaConsume, produceRecords, uniqueName } from '../environment/index.ts';
import { cluster, type ContainerCluster } from './container-cluster.ts';
import { CLEAN, DEADLINE_MS, FULL } from './full-cluster.ts';
import { readBytesOut } from './broker-metrics.ts';

jest.setTimeout(DEADLINE_MS);

const PADDING = 'x'.repeat(1000);
/** All records of a partition are sent at once. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
/** Batches and requests have more in them than rows; what tells where to read, next to nothing. */
const AT_MOST = 1.2;

interface Topic {
  /** The brokers of each partition, its leader first; broker 1 is in rack a, and so on. */
  readonly replicas: readonly (readonly number[])[];
  /** Of each partition. */
  readonly records: readonly number[];
}

describe('tasks and their racks', () => {
  it('read each partition in the rack that has it', async () => {
    const records = [1000, 2000, 3000];
    const { rowsRead, bytesOut } = await copied({ replicas: [[1], [2], [3]], records });
    expect(rowsRead).toEqual({ a: 1000, b: 2000, c: 3000 });
    expectBytes(bytesOut, rowsRead);
  });

  it('read from the replica of their rack where one broker leads all partitions', async () => {
    const records = [2000, 2000, 2000];
    const { rowsRead, bytesOut } = await copied({ replicas: [[1, 2, 3], [1, 3, 2], [1, 2, 3]], records });
    expect(rowsRead).toEqual({ a: 2000, b: 2000, c: 2000 });
    expectBytes(bytesOut, rowsRead);
  });
});

type ByRack = Readonly<Record<string, number>>;

/** What brokers have sent, by their own count, is what tasks of their racks have read: nobody has read elsewhere. */
function expectBytes(bytesOut: ByRack, rowsRead: ByRack): void {
  for (const [rack, rows] of Object.entries(rowsRead)) {
    const least = rows * PADDING.length;
    expect(bytesOut[rack]).toBeGreaterThan(least);
    expect(bytesOut[rack]).toBeLessThan(least * AT_MOST);
  }
}

/** Copies a topic with one task per partition, and tells what was read and sent in which rack. */
async function copied({ replicas, records }: Topic): Promise<{ readonly rowsRead: ByRack; readonly bytesOut: ByRack }> {
  const full = await cluster(FULL);
  const { brokers, innerBrokers } = full;
  const config = { 'min.insync.replicas': '1', 'max.message.bytes': String(MAX_BATCH_BYTES) };
  const input = await createTopic(brokers, { name: uniqueName('racks'), replicas, config });
  const output = await createTopic(brokers, { name: uniqueName('racks-copy'), partitions: 3 });
  const all = records.flatMap((count, partition) =>
    Array.from({ length: count }, (_, index) => ({ partition, id: `${partition}/${index}` })),
  );
  const sent = all.map(({ partition, id }) => ({ partition, value: JSON.stringify({ id, padding: PADDING }) }));
  await produceRecords(brokers, input, sent);

  const name = uniqueName('copy');
  const parallelism = replicas.length;
  const jobId = await full.submit(jobFile({ name, brokers: innerBrokers, input, output, parallelism }));
  const found = await javaConsume({ brokers, topic: output, atLeast: all.length, timeoutMs: 120_000 });
  const rowsRead = await rowsReadByRack(full, jobId, all.length);
  const bytesOut: Record<string, number> = {};
  for (const broker of full.all('kafka')) bytesOut[broker.rack ?? ''] = await readBytesOut(broker, input);
  await full.cancelled(jobId);
  const ids = found.map(({ value }) => (JSON.parse(value?.toString('utf8') ?? 'null') as { readonly id: string }).id);
  expect(judge(all.map(({ id }) => id), ids)).toMatchObject(CLEAN);
  return { rowsRead, bytesOut };
}

/** Resolves once the tasks have reported so many rows. */
function rowsReadByRack(full: ContainerCluster, jobId: string, total: number): Promise<ByRack> {
  return full.until(`tasks that tell of ${total} rows`, async () => {
    const { millrace } = await full.anyClient((client) => client.job(jobId));
    const rows: Record<string, number> = {};
    for (const task of millrace.tasks) {
      const counters = await full.anyClient((client) => client.counters(jobId, task.vertex));
      const { rack } = await full.taskManagerOf(task);
      rows[rack ?? ''] = (rows[rack ?? ''] ?? 0) + (counters.get(`${task.subtask}.in.numRecordsOut`) ?? 0);
    }
    const told = Object.values(rows).reduce((sum, count) => sum + count, 0);
    return told === total ? rows : undefined;
  });
}

interface CopyJob {
  readonly name: string;
  readonly brokers: string;
  readonly input: string;
  readonly output: string;
  readonly parallelism: number;
}

function jobFile({ name, brokers, input, output, parallelism }: CopyJob): string {
  return `name: ${name}
parallelism: ${parallelism}
checkpoint: 1s
steps:
  - id: in
    source: kafka
    with: {brokers: "${brokers}", topic: ${input}, format: json}
    schema: {id: string, padding: string}
  - id: ids
    select: {id: id}
  - id: out
    sink: kafka
    with: {brokers: "${brokers}", topic: ${output}, format: json, delivery: exactly-once}
`;
}
