/*
 * A run that is to be killed: `node cleanup-victim.ts`. It says who it is and who watches it, then starts a small
 * cluster again and again with another shape each time, so that it is in the middle of something at any instant.
 */
import { cluster } from './container-cluster.ts';
import { beginRun } from './run.ts';
import { watchRun } from './watch-run.ts';

async function main(): Promise<never> {
  const run = beginRun();
  const { pid } = watchRun(run);
  process.stdout.write(`${JSON.stringify({ runId: run.id, watcherPid: pid })}\n`);
  for (let slots = 1; ; slots++) {
    await cluster({ zookeepers: 1, brokers: 0, dispatchers: 0, taskManagers: 0, racks: [], slots });
  }
}

void main();
