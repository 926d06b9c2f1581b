export { LocalCopies } from './copies/local-copies.ts';
export { spillSpace } from './disk/rocks-store.ts';
export { openWorkDirectory } from './disk/work-directory.ts';
export type { WorkDirectory } from './disk/work-directory.ts';
export { stateErrors } from './errors.ts';
export { openCheckpointStorage } from './storage/open-checkpoint-storage.ts';
