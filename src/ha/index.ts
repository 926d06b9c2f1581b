export { clusterJobStore } from './cluster-job-store.ts';
export {
  embeddedCheckpointDirectory,
  embeddedWorkDirectory,
  openEmbeddedHighAvailability,
  openEmbeddedStore,
  readEmbeddedRecord,
} from './embedded/index.ts';
export type { EmbeddedHighAvailabilityOptions, EmbeddedStoreOptions } from './embedded/index.ts';
export { haErrors } from './errors.ts';
export type { JobRecord, JobStore, StoredJob } from './job-store.ts';
export type {
  ClusterRecords,
  DrainMark,
  ExecutionPlan,
  JobCode,
  JobOutcome,
  JobSubmission,
  PlannedSlot,
} from './cluster-records.ts';
export type {
  Candidate,
  Contender,
  FencedStore,
  HighAvailability,
  LeaderInfo,
  Leadership,
  StopWatching,
  StoredValue,
  TaskManagerAnnouncement,
} from './high-availability.ts';
export { openStored } from './stored-bytes.ts';
export { attemptsOf } from './cluster-records.ts';
export { clusterRecords } from './stored-cluster-records.ts';
export { openZooKeeperHighAvailability, ZooKeeperError, zooKeeperHighAvailability } from './zookeeper/index.ts';
export type {
  ConnectZooKeeper,
  ZooKeeperConnection,
  ZooKeeperFailure,
  ZooKeeperHighAvailabilityOptions,
  ZooKeeperNode,
  ZooKeeperOperation,
  ZooKeeperOverOptions,
  ZooKeeperState,
} from './zookeeper/index.ts';
