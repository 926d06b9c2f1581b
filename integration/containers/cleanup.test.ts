import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { afterEach, describe, expect, it, jest } from '@jest/globals';

import { identifyProcess, waitUntil } from '../../scripts/services/index.ts';
import { projectRoot } from '../cli/run-millrace.ts';
import { currentRun, remainsOf, removeDeadRuns, removeRun } from './run.ts';

jest.setTimeout(180_000);

const VICTIM = join(projectRoot, 'integration', 'containers', 'cleanup-victim.ts');
const PATIENCE = { timeoutMs: 90_000, intervalMs: 200 };

interface Victim {
  readonly child: ChildProcess;
  readonly runId: string;
  readonly watcherPid: number;
}

describe('a run that is killed', () => {
  const victims: Victim[] = [];

  // The cluster of the other suites goes first: there is one at a time.
  const start = async (): Promise<Victim> => {
    await removeRun(currentRun().id);
    const child = spawn(process.execPath, [VICTIM], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const told = JSON.parse(line) as { readonly runId: string; readonly watcherPid: number };
    const victim = { child, ...told };
    victims.push(victim);
    return victim;
  };

  /** Resolves once it has made something of each kind. */
  const halfWay = ({ runId }: Victim): Promise<true> =>
    waitUntil(
      'the run to have a network, a volume and a container',
      async () => (new Set((await remainsOf(runId)).map((each) => each.split(' ')[0])).size === 3 ? true : undefined),
      PATIENCE,
    );

  const nothingLeft = ({ runId }: Victim): Promise<true> =>
    waitUntil(
      `nothing to be left of ${runId}`,
      async () => ((await remainsOf(runId)).length === 0 ? true : undefined),
      PATIENCE,
    );

  afterEach(async () => {
    for (const { child, runId } of victims.splice(0)) {
      child.kill('SIGKILL');
      await removeRun(runId);
    }
  });

  it('leaves nothing: its watcher removes all of it', async () => {
    const victim = await start();
    await halfWay(victim);
    victim.child.kill('SIGKILL');
    await nothingLeft(victim);
    // Not before it has looked several times, as what was asked for may still be made.
    const hasEnded = (): true | undefined => (identifyProcess(victim.watcherPid) === undefined ? true : undefined);
    await waitUntil('the watcher to end', hasEnded, PATIENCE);
    expect(await remainsOf(victim.runId)).toEqual([]);
  });

  it('leaves nothing to the next run where its watcher was killed, too', async () => {
    const victim = await start();
    await halfWay(victim);
    // While it lives it keeps what it has.
    await removeDeadRuns();
    expect(await remainsOf(victim.runId)).not.toEqual([]);
    process.kill(victim.watcherPid, 'SIGKILL');
    victim.child.kill('SIGKILL');
    await once(victim.child, 'close');
    await waitUntil(
      `nothing to be left of ${victim.runId}`,
      async () => {
        await removeDeadRuns();
        return (await remainsOf(victim.runId)).length === 0 ? true : undefined;
      },
      PATIENCE,
    );
  });
});
