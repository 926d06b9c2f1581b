export { stateErrors } from './errors.ts';
export { openCheckpointStorage } from './storage/open-checkpoint-storage.ts';
