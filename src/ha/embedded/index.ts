export { openEmbeddedHighAvailability } from './embedded-high-availability.ts';
export type { EmbeddedHighAvailabilityOptions } from './embedded-high-availability.ts';
export { openEmbeddedStore, readEmbeddedRecord } from './embedded-store.ts';
export type { EmbeddedStoreOptions } from './embedded-store.ts';
export { embeddedCheckpointDirectory, embeddedWorkDirectory } from './job-directory.ts';
