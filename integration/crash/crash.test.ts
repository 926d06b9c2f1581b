import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, jest } from '@jest/globals';

import { getBroker } from '../environment/index.ts';
import { crashJobs, formatReport, isPassed, runCrashTest } from './index.ts';

jest.setTimeout(900_000);

/** Another one kills at other steps: `npm run crash-test -- --kills 10 --seed N` tries any. */
const SEED = 4;
const KILLS = 10;

describe('a job that is killed again and again', () => {
  it('writes what it writes when nobody kills it', async () => {
    const { brokers } = await getBroker();
    const folder = mkdtempSync(join(tmpdir(), 'millrace-crash-'));
    const job = crashJobs.at(-1);
    if (job === undefined) throw new Error('there is no job to kill');
    const told: string[] = [];
    try {
      const tell = (line: string): void => void told.push(line);
      const report = await runCrashTest({ brokers, job, kills: KILLS, seed: SEED, folder, tell });
      if (!isPassed(report)) throw new Error([...told, formatReport(report)].join('\n'));
      expect(formatReport(report)).toMatch(/\nlost 0, duplicated 0$/);
    } catch (error) {
      throw new Error(`seed ${SEED}\n${told.join('\n')}`, { cause: error });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
