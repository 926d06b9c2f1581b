import { describe, expect, it, jest } from '@jest/globals';

import { DEADLINE_MS, underLoad } from './full-cluster.ts';
import type { Member } from './member.ts';
import { CHECKPOINTS_FOLDER } from './topology.ts';

jest.setTimeout(DEADLINE_MS);

const FILE = `${CHECKPOINTS_FOLDER}/what-fills-it`;
const PAGE_BYTES = 4096;

describe('the disk for checkpoints', () => {
  it('is full: the job says so and commits nothing, and goes on when there is room again', () =>
    underLoad(async (trial) => {
      const { cluster } = trial;
      const [dispatcher] = cluster.all('dispatcher');
      if (dispatcher === undefined) throw new Error('there is no Dispatcher');
      const { restarts } = (await cluster.running(trial.jobId)).millrace;
      await cluster.until('a checkpoint to fail', async () => {
        // Again, as what is given up gives room back.
        await fill(dispatcher);
        const job = await cluster.client().job(trial.jobId);
        return job.millrace.restarts > restarts ? true : undefined;
      });
      expect(await cluster.anyClient((client) => client.lastFailure(trial.jobId))).toMatch(/ENOSPC|no space left/i);
      await dispatcher.exec('node', '-e', `require('node:fs').unlinkSync('${FILE}')`);
      await trial.firstOutputAfter(Date.now());
    }));
});

/** To the last page. */
async function fill(member: Member): Promise<void> {
  const program = `
    const { appendFileSync } = require('node:fs');
    try {
      for (const bytes of [${PAGE_BYTES * 256}, ${PAGE_BYTES}]) {
        try {
          for (;;) appendFileSync('${FILE}', Buffer.alloc(bytes));
        } catch (error) {
          if (error.code !== 'ENOSPC') throw error;
        }
      }
    } catch (error) {
      console.error(error);
      process.exitCode = 1;
    }`;
  await member.exec('node', '-e', program);
}
