import type { Exchange } from '../../graph/index.ts';
import type { SlotLocation } from '../../rpc/index.ts';
import type { Locality } from './locality.ts';

/** How far two tasks are from each other. `process-local`: in one TaskManager. */
export type ChannelLocality = 'process-local' | Locality;

/** How many channels of an edge go how far. */
export type ChannelCounts = Readonly<Record<ChannelLocality, number>>;

export const NO_CHANNELS: ChannelCounts = Object.freeze({
  'process-local': 0,
  'node-local': 0,
  'rack-local': 0,
  'cross-rack': 0,
  indifferent: 0,
});

/** Of an edge between the tasks in these slots. */
export function channelsOf(
  exchange: Exchange['kind'],
  senders: readonly SlotLocation[],
  receivers: readonly SlotLocation[],
): ChannelCounts {
  const counts = { ...NO_CHANNELS };
  senders.forEach((sender, index) => {
    const targets = exchange === 'forward' ? receivers.slice(index, index + 1) : receivers;
    for (const target of targets) counts[distanceOf(sender, target)]++;
  });
  return counts;
}

function distanceOf(a: SlotLocation, b: SlotLocation): ChannelLocality {
  if (a.taskManagerId === b.taskManagerId) return 'process-local';
  if (a.host !== null && a.host === b.host && (a.rack === null || a.rack === b.rack)) return 'node-local';
  if (a.rack === null || b.rack === null) return 'indifferent';
  return a.rack === b.rack ? 'rack-local' : 'cross-rack';
}
