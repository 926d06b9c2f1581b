export { EpochFence } from './epoch-fence.ts';
export { rpcErrors } from './errors.ts';
export type * from './gateways.ts';
export { inProcessTransport } from './in-process-transport.ts';
export type { LeaderReference, LeaderWatch } from './leader-watch.ts';
export { isTerminalJob, isTerminalTask } from './states.ts';
export type { JobState, TaskState, TerminalJobState } from './states.ts';
export { stepFailure } from './step-failure.ts';
export type { GatewayKind, Gateways, RpcTransport, ServedGateway } from './transport.ts';
