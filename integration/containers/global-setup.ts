import { prepareImages } from './images.ts';
import { beginRun, removeDeadRuns } from './run.ts';
import { watchRun, type Watch } from './watch-run.ts';

declare global {
  // How Jest's setup tells its teardown something.
  var watchOfRun: Watch | undefined;
}

/** Jest's globalSetup of the containers project. Starts no container: the first suite does. */
export default async function setUp(): Promise<void> {
  globalThis.watchOfRun = watchRun(beginRun());
  await removeDeadRuns();
  await prepareImages();
}
