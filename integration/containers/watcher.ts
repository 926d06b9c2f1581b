/*
 * A process that outlives a run, to remove what it made: `node watcher.ts RUN_ID`. Its standard input is a pipe of
 * which the run holds the other end; however the run ends, the system closes that.
 */
import { setTimeout as delay } from 'node:timers/promises';

/** What the killed run had asked Docker for may be made after it; so many times in a row there is nothing. */
const QUIET_LOOKS = 5;
const LOOKS = 120;
const LOOK_EVERY_MS = 1000;

async function removeAllOf(runId: string): Promise<void> {
  // Loaded late: a process that waits should be small.
  const { remainsOf, removeRun } = await import('./run.ts');
  let quiet = 0;
  for (let look = 0; look < LOOKS && quiet < QUIET_LOOKS; look++) {
    // An engine that does not answer now may do so later.
    const isEmpty = await removeRun(runId).then(
      async () => (await remainsOf(runId)).length === 0,
      () => false,
    );
    quiet = isEmpty ? quiet + 1 : 0;
    await delay(LOOK_EVERY_MS);
  }
}

const runId = process.argv[2];
if (runId === undefined) throw new Error('which run?');
// The run says something where it has ended in good order.
process.stdin.once('data', () => process.exit());
process.stdin.once('close', () => void removeAllOf(runId));
