import { describe, expect, it, jest } from '@jest/globals';

import type { ContainerCluster } from './container-cluster.ts';
import { attemptsOf, DEADLINE_MS, underLoad } from './full-cluster.ts';
import type { Member } from './member.ts';

jest.setTimeout(DEADLINE_MS);

describe('what the cluster stands on', () => {
  it('loses a follower of ZooKeeper, then its quorum: no task stops, and all goes on when it is back', () =>
    underLoad(async (trial) => {
      const { cluster } = trial;
      const before = await attemptsOf(trial);
      const [first, second] = await followers(cluster);
      await first.kill();
      await trial.firstOutputAfter(Date.now());

      const leader = await cluster.leader();
      await second.kill();
      await cluster.until('the leader to step down', async () => {
        const answer = await cluster.clientOf(leader).jobs().catch(String);
        return typeof answer === 'string' && answer.includes('HTTP 503') ? true : undefined;
      });
      await Promise.all([first.start(), second.start()]);
      await cluster.leader();
      await trial.firstOutputAfter(Date.now());
      expect(await attemptsOf(trial)).toEqual(before);
    }));

  it('loses a broker, and gets it back', () =>
    underLoad(async (trial) => {
      const { cluster } = trial;
      const [broker] = cluster.all('kafka');
      if (broker === undefined) throw new Error('there is no broker');
      const killedAtMs = Date.now();
      await broker.kill();
      await trial.caughtUpAfter(killedAtMs);
      await broker.start();
      await cluster.healthy(broker);
      await trial.caughtUpAfter(Date.now());
    }));
});

async function followers(cluster: ContainerCluster): Promise<readonly [Member, Member]> {
  const servers = cluster.all('zookeeper');
  const modes = await Promise.all(servers.map((server) => server.exec('bash', '/opt/health.sh')));
  const [first, second] = servers.filter((_, index) => modes[index]?.includes('follower') === true);
  if (first === undefined || second === undefined) throw new Error(`not two followers: ${modes.join(', ')}`);
  return [first, second];
}
