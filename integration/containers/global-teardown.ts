import { currentRun, remainsOf, removeRun } from './run.ts';

/** Jest's globalTeardown of the containers project. Rejects where anything is left. */
export default async function tearDown(): Promise<void> {
  const { id } = currentRun();
  await removeRun(id);
  const remains = await remainsOf(id);
  if (remains.length > 0) throw new Error(`left behind: ${remains.join(', ')}`);
  await globalThis.watchOfRun?.end();
}
