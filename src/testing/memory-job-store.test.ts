import { describe, it } from '@jest/globals';
import { jobStoreContract } from './job-store-contract.ts';
import type { JobStoreSubject } from './job-store-contract.ts';
import { MemoryJobs } from './memory-job-store.ts';

describe('the store of jobs in memory', () => {
  it.each(jobStoreContract)('$title', async ({ run }) => {
    const jobs = new MemoryJobs();
    const subject: JobStoreSubject = {
      open: () => Promise.resolve(jobs.open()),
      kill: () => Promise.resolve(jobs.depose()),
      depose: () => Promise.resolve(jobs.depose()),
      loseAnswer: (isCarriedOut) => jobs.loseAnswer(isCarriedOut),
    };
    await run(subject);
  });
});
