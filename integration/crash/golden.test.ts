import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';

import { startMillrace, type Ended } from '../cli/run-millrace.ts';
import { getBroker, independentKafka } from '../environment/index.ts';
import { crashJobs, type CrashJob } from './crash-jobs.ts';
import { deployJob, type Deployment } from './deployment.ts';
import { createInputTopics, OrderFeeder } from './order-feeder.ts';
import { judge } from './output-check.ts';

jest.setTimeout(600_000);

const DEADLINE_MS = 240_000;
const STREAM = { seed: 11, partitions: 4, ordersPerPartition: 6000 };
const FAULTLESS = { lost: 0, duplicated: 0, unexpected: 0, examples: [] };

/** Runs until the job has completed some checkpoints while orders were coming, and ends it then. */
async function runAndStop(args: readonly string[], feeder: OrderFeeder, signal: NodeJS.Signals): Promise<Ended> {
  const command = startMillrace(args, { deadlineMs: DEADLINE_MS });
  const feeding = feeder.feed(STREAM.ordersPerPartition / 4, command.ended);
  await command.saying(/(^checkpoint \d+ completed[^]*){3}/m);
  command.signal(signal);
  await feeding;
  return command.ended;
}

const runToEnd = (args: readonly string[]): Promise<Ended> => startMillrace(args, { deadlineMs: DEADLINE_MS }).ended;

describe('golden jobs', () => {
  let brokers: string;
  let folder: string;

  beforeAll(async () => {
    brokers = (await getBroker()).brokers;
    folder = mkdtempSync(join(tmpdir(), 'millrace-golden-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function start(job: CrashJob): Promise<{ feeder: OrderFeeder; whole: Deployment; resumed: Deployment }> {
    const inputTopics = await createInputTopics(brokers, STREAM);
    const feeder = new OrderFeeder(independentKafka(brokers), inputTopics, STREAM);
    await feeder.open();
    const request = { job, brokers, folder, stream: STREAM, inputTopics };
    const whole = await deployJob({ ...request, variant: 'whole' });
    return { feeder, whole, resumed: await deployJob({ ...request, variant: 'resumed' }) };
  }

  // Windows are part of the joined one.
  const jobs = crashJobs.filter(({ name }) => name !== 'window');

  it.each(jobs)('$name: whole, and stopped at parallelism 2, killed at 3, finished at 1', async (job) => {
    const { feeder, whole, resumed } = await start(job);
    try {
      await feeder.send(STREAM.ordersPerPartition / 4);
      const first = await runAndStop(resumed.args(2), feeder, 'SIGINT');
      expect(first).toMatchObject({ exitCode: 130, errors: expect.stringMatching(/^starting anew/m) });
      const second = await runAndStop(resumed.args(3), feeder, 'SIGKILL');
      expect(second).toMatchObject({ exitCode: 137, errors: expect.stringMatching(/^resuming checkpoint \d+/m) });
      await feeder.send(feeder.remaining);
    } finally {
      await feeder.close();
    }
    const third = await runToEnd(resumed.args(1));
    expect(third).toMatchObject({ exitCode: 0, errors: expect.stringMatching(/^resuming checkpoint \d+/m) });
    expect(await runToEnd(whole.args(2))).toMatchObject({ exitCode: 0 });
    const again = await runToEnd(resumed.args(2));
    expect(again).toMatchObject({ exitCode: 0, errors: expect.stringMatching(/has finished, with checkpoint \d+/) });
    expect([await resumed.openPartitions(), await whole.openPartitions()]).toEqual([0, 0]);
    for (const sink of job.sinks) {
      const { rows, outOfOrder } = await resumed.read(sink);
      expect(outOfOrder).toBe(0);
      expect(judge(sink.expected(STREAM), rows)).toMatchObject(FAULTLESS);
      expect(judge((await whole.read(sink)).rows, rows)).toMatchObject(FAULTLESS);
    }
  });
});
