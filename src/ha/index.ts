export {
  embeddedCheckpointDirectory,
  embeddedWorkDirectory,
  openEmbeddedStore,
  readEmbeddedRecord,
} from './embedded/index.ts';
export type { EmbeddedStoreOptions } from './embedded/index.ts';
export { haErrors } from './errors.ts';
export type { JobRecord, JobStore, StoredJob } from './job-store.ts';
