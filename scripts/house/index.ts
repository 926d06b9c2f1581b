import { bans } from './bans.ts';
import { deadExports, deadFiles } from './dead-code.ts';
import type { HouseCheck } from './finding.ts';
import { importCycles, lateLoading, packageHomes, roomImports } from './imports.ts';
import { fileNames, functionLength, leftovers, lineLength, roomPages } from './tidy.ts';

export { formatFinding, type Finding } from './finding.ts';
export { parseSourceTree, readSourceTree } from './source-tree.ts';

export const houseChecks: readonly HouseCheck[] = [
  roomImports,
  importCycles,
  packageHomes,
  lateLoading,
  bans,
  lineLength,
  functionLength,
  leftovers,
  fileNames,
  roomPages,
  deadFiles,
  deadExports,
];
