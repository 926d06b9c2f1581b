export { cacheDirectory } from './cache.ts';
export { ensureArtifact, runMaven, type Artifact, type Progress } from './artifacts.ts';
export { ServicesError, USAGE_EXIT_CODE } from './errors.ts';
export { withFileLock } from './file-lock.ts';
export type { StopSignal } from './handles.ts';
export { ensureJavaProgram, type JavaProgram } from './java-program.ts';
export { KAFKA_RELEASES } from './kafka.ts';
export { fetchMetadata, type BrokerMetadata } from './metadata-request.ts';
export { identifyProcess, isAlive, type ProcessIdentity } from './processes.ts';
export { findPorts } from './ports.ts';
export { readOptions, runProgram, runWithServices, tell, usageErrorOf } from './program.ts';
export {
  environmentOf,
  listServices,
  restartBroker,
  restartZooKeeper,
  servicesStatus,
  signalMember,
  startMember,
  startServices,
  stopAllServices,
  stopMember,
  stopServices,
  type Member,
  type S3Services,
  type SecureServices,
  type Services,
  type ServicesOptions,
  type ServicesStatus,
} from './services.ts';
export { logTail } from './log-tail.ts';
export { DEFAULT_NAME, type KafkaRelease } from './state.ts';
export { waitUntil } from './wait-until.ts';
