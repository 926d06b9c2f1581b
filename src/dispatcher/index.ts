export type { JobHandle, JobResult } from './job-handle.ts';
export type { ClusterLink, JobDispatcher, LocalCluster, RunningTaskManager } from './local-cluster.ts';
