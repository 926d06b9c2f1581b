import { measureIdleMemory } from './idle-memory.ts';
import { measureRow, type RecoveryOptions, type RecoveryResult } from './recovery.ts';
import { disturbances } from './rows.ts';
import { measureThroughput } from './throughput.ts';

export { formatResults } from './report.ts';
export type { RecoveryResult } from './recovery.ts';

/** What must hold whatever figures a machine gives. */
export function isSound({ row, lost, duplicated, tasksRestarted }: RecoveryResult): boolean {
  const mayRestart = disturbances.find(({ name }) => name === row)?.restartsTasks ?? false;
  return lost === 0 && duplicated === 0 && (mayRestart || tasksRestarted === 0);
}

type Measure = (options: RecoveryOptions) => Promise<RecoveryResult>;

/** In the order of the table. */
export const recoveryRows: ReadonlyMap<string, Measure> = new Map<string, Measure>([
  ...disturbances.map((row): [string, Measure] => [row.name, (options) => measureRow(row, options)]),
  ['idle-memory', measureIdleMemory],
  ['throughput', measureThroughput],
]);
