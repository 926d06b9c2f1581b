import { stepFailure } from '../rpc/index.ts';

/** Does some work of a step; its errors name the step. */
export async function inStep(stepId: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw stepFailure(error, stepId, null);
  }
}
