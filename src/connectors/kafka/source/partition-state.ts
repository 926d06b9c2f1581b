import type { SplitId } from '../../../core/index.ts';
import { kafkaSplit, type KafkaPosition } from './kafka-split.ts';

/** One assigned partition: how far it is fetched and read, and from where. */
export interface PartitionState {
  readonly splitId: SplitId;
  readonly topic: string;
  readonly partition: number;
  readonly endOffset: number;
  /** The next offset to ask for. */
  fetchOffset: number;
  /** The offset behind the last polled record: what positions() says. */
  position: number;
  isFromBeginning: boolean;
  /**
   * fetching: there is more to ask for. fetched: everything up to endOffset has arrived. broken: what arrived last is
   * not a record batch; reading it will fail.
   */
  phase: 'fetching' | 'fetched' | 'broken';
  /** -1 while unknown. */
  leader: number;
  /** The follower that the leader named (KIP-392), until replicaUntilMs; -1 for none. */
  replica: number;
  replicaUntilMs: number;
  /** A follower could not be read from: until then the leader is to answer itself. */
  leaderUntilMs: number;
  isInFlight: boolean;
  /** Ranges that arrived and are not read to their end. */
  unreadRanges: number;
  highWatermark: number;
  attempts: number;
  /** Since when nothing succeeds; Infinity while all is well. */
  failingSinceMs: number;
  retryAtMs: number;
  lastReason: string;
}

export function createPartitionState(position: KafkaPosition): PartitionState {
  const endOffset = position.endOffset ?? Infinity;
  return {
    splitId: kafkaSplit(position).id,
    topic: position.topic,
    partition: position.partition,
    endOffset,
    fetchOffset: position.offset,
    position: position.offset,
    isFromBeginning: position.isFromBeginning,
    phase: position.offset >= endOffset ? 'fetched' : 'fetching',
    leader: -1,
    replica: -1,
    replicaUntilMs: 0,
    leaderUntilMs: -Infinity,
    isInFlight: false,
    unreadRanges: 0,
    highWatermark: position.offset,
    attempts: 0,
    failingSinceMs: Infinity,
    retryAtMs: 0,
    lastReason: 'it has no leader',
  };
}

/** The broker to ask. */
export function brokerOf(state: PartitionState, nowMs: number): number {
  return state.replica >= 0 && nowMs < state.replicaUntilMs ? state.replica : state.leader;
}

/** Whether everything up to the end has been read. */
export function isRead(state: PartitionState): boolean {
  return state.phase === 'fetched' && state.unreadRanges === 0;
}
