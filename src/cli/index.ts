/** What scripts/docs and integration/ read: the tables of all rooms, gathered where all rooms are known. */
import { describeCommands, type CommandDescription } from './describe-program.ts';
import { nodeContext } from './node-context.ts';
import { buildProgram } from './program.ts';

export { catalog } from './catalog.ts';
export { crashPointNames } from './crash-points.ts';
export type { CommandDescription } from './describe-program.ts';
export { errorRows } from './error-tables.ts';
export { signatureOf } from './listing.ts';
export { optionTables } from './option-tables.ts';

/** Every command with its arguments and options. */
export function describeProgram(): readonly CommandDescription[] {
  return describeCommands(buildProgram(nodeContext()));
}
