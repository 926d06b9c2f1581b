/**
 * npm run bench -- soak [--events N]: runs q1 over N records (50 M by default) and compares the memory of the process
 * after a fifth of them with that at the end. Fails where it grew by more than a tenth.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { queries } from './nexmark/queries.ts';
import { createTopic, deleteTopic, preload } from './nexmark/topics.ts';
import { millraceArguments } from './systems/millrace.ts';
import { runChild } from './systems/run-child.ts';
import { readSamples } from './systems/system.ts';

const GROWTH_LIMIT = 1.1;
/** Samples averaged at either point: one reading is at the mercy of the collector. */
const WINDOW = 5;

export interface SoakReport {
  readonly events: number;
  readonly rssAfterFifthBytes: number;
  readonly rssAtEndBytes: number;
  readonly growth: number;
}

export async function soak(brokers: string, events: number, tell: (text: string) => void): Promise<SoakReport> {
  const query = queries.get('q1');
  if (query === undefined) throw new Error('no query q1');
  const inputTopics = await preload(brokers, query.dataset, events, tell);
  const outputTopic = `bench-soak-${Date.now()}`;
  await createTopic(brokers, outputTopic);
  const directory = await mkdtemp(join(tmpdir(), 'bench-soak-'));
  try {
    const statsFile = join(directory, 'stats.jsonl');
    tell(`q1 over ${events} records`);
    const output = { rowBytes: 0, rowsPerRecord: 1 };
    const delivery = { guarantee: 'at-least-once', checkpointIntervalMs: null } as const;
    const request = { query, brokers, inputTopics, outputTopic, events, parallelism: 1, delivery, output };
    await runChild(process.execPath, [...millraceArguments(request, directory), '--stats', statsFile], 3_600_000);
    const samples = await readSamples(statsFile);
    const fifth = samples.findIndex((sample) => sample.recordsIn >= events / 5);
    const mean = (from: number) => {
      const window = samples.slice(Math.max(0, from), from + WINDOW);
      return window.reduce((sum, sample) => sum + sample.rssBytes, 0) / window.length;
    };
    const rssAfterFifthBytes = mean(fifth);
    const rssAtEndBytes = mean(samples.length - WINDOW);
    const growth = rssAtEndBytes / rssAfterFifthBytes;
    if (growth > GROWTH_LIMIT) throw new Error(`memory grew by a factor of ${growth.toFixed(2)}`);
    return { events, rssAfterFifthBytes, rssAtEndBytes, growth };
  } finally {
    await deleteTopic(brokers, outputTopic);
    await rm(directory, { recursive: true, force: true });
  }
}
