import { beginTestRun } from './broker.ts';

/** Jest's globalSetup of the integration project. Starts nothing: the first suite that needs a broker does. */
export default function setUp(): void {
  beginTestRun();
}
