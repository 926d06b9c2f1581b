export type { Dispatcher, SubmitOptions } from './dispatcher.ts';
export type { JobHandle, JobResult } from './job-handle.ts';
export { startLocalCluster } from './local-cluster.ts';
export type { ClusterLink, LocalCluster, LocalClusterOptions, RunningTaskManager } from './local-cluster.ts';
