export type {
  ClusterService,
  JobDetails,
  JobPlacement,
  JobSummary,
  MovedTasks,
  SubmitJob,
  SubmittedCode,
  TaskManagerDetails,
} from './cluster-service.ts';
export type { Dispatcher, SubmitOptions } from './dispatcher.ts';
export { clusterErrors } from './errors.ts';
export { jobFileProblems } from './job-file-problems.ts';
export type { JobFileProblems } from './job-file-problems.ts';
export type { JobHandle, JobResult } from './job-handle.ts';
export { startLocalCluster } from './local-cluster.ts';
export type { ClusterLink, LocalCluster, LocalClusterOptions, RunningTaskManager } from './local-cluster.ts';
export { restErrors, startRestServer } from './rest/index.ts';
export type { RestServer, RestServerOptions, RestTls, RestTokens } from './rest/index.ts';
export { RESOURCE_MANAGER } from './cluster/cluster-leader.ts';
export type { ClusterLeaderOptions } from './cluster/cluster-leader.ts';
export type { JobSource } from './cluster/job-source.ts';
export type { CompileSource } from './cluster/leading-service.ts';
export { startDispatcher } from './cluster/start-dispatcher.ts';
export type { RunningDispatcher, StartDispatcherOptions } from './cluster/start-dispatcher.ts';
