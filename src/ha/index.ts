export type { JobRecord, JobStore, StoredJob } from './job-store.ts';
