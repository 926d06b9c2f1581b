import { endTestRun } from './broker.ts';

/** Jest's globalTeardown of the integration project. */
export default async function tearDown(): Promise<void> {
  await endTestRun();
}
