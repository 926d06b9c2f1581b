/**
 * Where partitions are cheap to read: where their leader is, and, where brokers send readers to the replica that is
 * nearest to them (KIP-392), where any replica is that is in sync.
 */
import type { Clock } from '../../../core/index.ts';
import type { ClusterMetadata, KafkaClient, PartitionInfo } from '../client/index.ts';
import { settledWithin } from '../settled-within.ts';

/** The one selector of Kafka itself that goes by racks; without a selector, only leaders are read from. */
const RACK_AWARE = 'RackAwareReplicaSelector';
const SELECTOR = 'replica.selector.class';
/** So many brokers are asked at once: one of them may just have gone. */
const ASKED = 3;
/** Knowing it makes a job cheaper, not right: nobody waits for it longer than this. */
const PATIENCE_MS = 1000;

/** Whether brokers send readers to the nearest replica. No, where none of them says so in time. */
export async function sendsToNearest(client: KafkaClient, metadata: ClusterMetadata, clock: Clock): Promise<boolean> {
  if (!isSpread(metadata)) return false;
  let isAware = false;
  const asked = [...metadata.brokers.keys()].slice(0, ASKED).map(async (id) => {
    const selector = (await client.settings('broker', String(id), [SELECTOR])).get(SELECTOR);
    isAware = selector?.split('.').at(-1) === RACK_AWARE;
  });
  await settledWithin(Promise.any(asked), PATIENCE_MS, clock);
  return isAware;
}

/** Whether there is more than one rack to choose from. */
function isSpread({ brokers }: ClusterMetadata): boolean {
  return new Set([...brokers.values()].flatMap(({ rack }) => rack ?? [])).size > 1;
}

export interface Reading {
  readonly isNearest: boolean;
  /** From where it is read, whoever reads it; null for the rack of whoever does. */
  readonly rack: string | null;
}

/** Hosts and racks; none where it makes no difference, or nobody knows. */
export function nearPlaces(
  { brokers }: ClusterMetadata,
  partition: PartitionInfo,
  { isNearest, rack }: Reading,
): readonly string[] {
  const leader = brokers.get(partition.leader);
  const followed = isNearest ? partition.inSyncReplicas.flatMap((id) => brokers.get(id)?.rack ?? []) : [];
  if (rack !== null && followed.includes(rack)) return [rack];
  const ofLeader = leader?.rack == null ? [] : [leader.rack, ...(isLoopback(leader.host) ? [] : [leader.host])];
  return [...new Set([...ofLeader, ...(rack === null ? followed : [])])];
}

/** Every machine has such a name. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
