import { describe, expect, it, jest } from '@jest/globals';

import { attemptsOf, DEADLINE_MS, underLoad } from './full-cluster.ts';
import type { Member } from './member.ts';

jest.setTimeout(DEADLINE_MS);

interface Fault {
  readonly what: string;
  readonly begin: (member: Member) => Promise<void>;
  readonly end: (member: Member) => Promise<void>;
}

const FAULTS: readonly Fault[] = [
  { what: 'killed', begin: (member) => member.kill(), end: (member) => member.start() },
  { what: 'paused', begin: (member) => member.pause(), end: (member) => member.unpause() },
  { what: 'disconnected', begin: (member) => member.disconnect(), end: (member) => member.connect() },
];

describe('a container of the engine', () => {
  it.each(FAULTS)('a TaskManager that runs tasks is $what, and comes back', ({ begin, end }) =>
    underLoad(async (trial) => {
      const { cluster } = trial;
      const [task] = await trial.tasks();
      if (task === undefined) throw new Error('the job has no tasks');
      const victim = await cluster.taskManagerOf(task);
      const begunAtMs = Date.now();
      await begin(victim);
      // Without it: the others take its tasks over.
      await trial.firstOutputAfter(begunAtMs);
      const elsewhere = await trial.tasks();
      expect(elsewhere.map((each) => each['taskmanager-id'])).not.toContain(task['taskmanager-id']);
      await end(victim);
      await cluster.registered(cluster.options.taskManagers);
      await trial.firstOutputAfter(Date.now());
    }),
  );

  it.each(FAULTS)('the Dispatcher that leads is $what, no task stops, and it comes back', ({ begin, end }) =>
    underLoad(async (trial) => {
      const { cluster } = trial;
      const before = await attemptsOf(trial);
      const victim = await cluster.leader();
      await begin(victim);
      await cluster.leader(victim);
      await trial.firstOutputAfter(Date.now());
      await end(victim);
      await cluster.healthy(victim);
      await trial.firstOutputAfter(Date.now());
      expect(await attemptsOf(trial)).toEqual(before);
    }),
  );
});
