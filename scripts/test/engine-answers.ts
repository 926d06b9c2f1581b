import { getContainerRuntimeClient } from 'testcontainers';

/** Whether there is a Docker engine, as the suites in containers look for one. */
export async function engineAnswers(): Promise<boolean> {
  try {
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false;
  }
}
