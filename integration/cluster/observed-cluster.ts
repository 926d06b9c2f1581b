/** A cluster as its REST API shows it, wherever its processes are. */
import { randomBytes } from 'node:crypto';

import { waitUntil } from '../../scripts/services/index.ts';
import type { JobView, RestClient } from './rest-client.ts';

const POLL_MS = 50;

export abstract class ObservedCluster {
  /** How long anything may take on a machine under load. */
  protected readonly patienceMs: number = 60_000;

  /** Of any Dispatcher that lives, another one for another index; standbys pass requests on. */
  abstract client(index?: number): RestClient;

  /** What each process said last. */
  abstract explain(): string | Promise<string>;

  /** Resolves when the leader knows exactly so many TaskManagers. */
  async registered(count: number): Promise<void> {
    let index = 0;
    await this.until(`${count} TaskManagers to be registered`, async () => {
      const known = await this.client(index++).taskManagers();
      return known.length === count ? true : undefined;
    });
  }

  /** Asks again and again, also where the cluster does not answer; tells what everybody said where it is in vain. */
  async until<T>(awaited: string, condition: () => Promise<T | undefined>): Promise<T> {
    let last: unknown = null;
    const asked = async (): Promise<T | undefined> => {
      try {
        return await condition();
      } catch (error) {
        last = error;
        return undefined;
      }
    };
    try {
      return await waitUntil(awaited, asked, { timeoutMs: this.patienceMs, intervalMs: POLL_MS });
    } catch (error) {
      throw new Error(`${String(error)}\nlast answer: ${String(last)}\n${await this.explain()}`, { cause: error });
    }
  }

  /** Submits to whichever Dispatcher takes it; resolves to the job's id once one has. */
  async submit(text: string): Promise<string> {
    const jobId = randomBytes(16).toString('hex');
    let index = 0;
    await this.until('the job to be accepted', async () => {
      await this.client(index++).submit(jobId, text);
      return true;
    });
    return jobId;
  }

  job(jobId: string, awaited: string, is: (job: JobView) => boolean): Promise<JobView> {
    let index = 0;
    return this.until(`job ${jobId} ${awaited}`, async () => {
      const job = await this.client(index++).job(jobId);
      return is(job) ? job : undefined;
    });
  }

  /** Resolves once every task runs, and a checkpoint beyond `beyond` is complete. */
  running(jobId: string, beyond = 0): Promise<JobView> {
    return this.job(jobId, `to run and complete a checkpoint after ${beyond}`, (job) => {
      const isRunning = job.millrace.tasks.length > 0 && job.millrace.tasks.every(({ state }) => state === 'RUNNING');
      return job.state === 'RUNNING' && isRunning && (job.millrace['last-checkpoint']?.id ?? 0) > beyond;
    });
  }

  /** Cancels the job, again where nobody has answered. Resolves once it is over. */
  async cancelled(jobId: string): Promise<void> {
    let index = 0;
    await this.until(`job ${jobId} to be cancelled`, async () => {
      const client = this.client(index++);
      const { state } = await client.job(jobId);
      if (state === 'CANCELED') return true;
      await client.cancel(jobId);
      return undefined;
    });
  }
}
