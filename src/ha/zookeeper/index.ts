export { ZooKeeperError } from './connection.ts';
export type {
  ConnectZooKeeper,
  ZooKeeperConnection,
  ZooKeeperFailure,
  ZooKeeperNode,
  ZooKeeperOperation,
  ZooKeeperState,
} from './connection.ts';
export { openZooKeeperHighAvailability, zooKeeperHighAvailability } from './zookeeper-high-availability.ts';
export type { ZooKeeperHighAvailabilityOptions, ZooKeeperOverOptions } from './zookeeper-high-availability.ts';
