import { totalmem } from 'node:os';

/** The memory of the machine, or of the container that the process is in. */
export function machineMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
