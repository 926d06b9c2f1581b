/** A placement explained: where everything runs, what is how far from where it is needed, and why. Pure. */
import type { SlotId, SplitId, TaskManagerId } from '../../core/index.ts';
import type { JobGraph } from '../../graph/index.ts';
import type { SlotLocation } from '../../rpc/index.ts';
import { channelsOf, NO_CHANNELS } from './channel-localities.ts';
import type { ChannelCounts } from './channel-localities.ts';
import { localityOf } from './locality.ts';
import type { Locality, Place } from './locality.ts';
import type { SlotKey } from './placement-request.ts';

export interface PlacementReport {
  /** In order; empty before there are slots. */
  readonly slices: readonly PlacedSlice[];
  readonly splits: readonly PlacedSplit[];
  readonly edges: readonly PlacedEdge[];
  /** How many splits are how far away. */
  readonly totals: Readonly<Record<Locality, number>>;
  /** How many slices are in other slots than in the attempt before; 0 where there was none. */
  readonly moved: number;
}

/** The tasks that share a slot: subtask i of every vertex. */
export interface PlacedSlice {
  readonly subtaskIndex: number;
  readonly taskManagerId: TaskManagerId;
  readonly slotId: SlotId;
  readonly rack: string | null;
  readonly host: string | null;
  readonly because: string;
}

/** Who reads a split, and how far from there it is. */
export interface PlacedSplit {
  readonly stepId: string;
  readonly splitId: SplitId;
  /** Hosts and racks where reading it is cheap. */
  readonly racks: readonly string[];
  readonly subtaskIndex: number;
  readonly locality: Locality;
  readonly because: string;
}

export interface PlacedEdge {
  /** Names of vertices. */
  readonly from: string;
  readonly to: string;
  readonly exchange: string;
  readonly channels: ChannelCounts;
  /** What part of the rows goes to other racks, if all channels carry as much. */
  readonly crossRackShare: number;
}

/** The splits that one subtask of a source reads. */
export interface ReadSplits {
  readonly stepId: string;
  readonly subtaskIndex: number;
  readonly place: Place;
  readonly splits: readonly ReadSplit[];
}

export interface ReadSplit {
  readonly id: SplitId;
  readonly racks: readonly string[];
  /** The subtask has it because it had it in the checkpoint. */
  readonly stays: boolean;
}

export interface PlacementFacts {
  readonly graph: JobGraph;
  /** In the order of slices. */
  readonly slots: readonly SlotLocation[];
  readonly readers: readonly ReadSplits[];
  readonly choice: PlacementChoice | null;
}

/** What the slots were chosen from. Null where they were not chosen anew, or by an earlier leader. */
export interface PlacementChoice {
  readonly offered: readonly Place[];
  /** The slots of the attempt before, in the order of slices; empty where there was none. */
  readonly previous: readonly SlotKey[];
}

export function explainPlacement(facts: PlacementFacts): PlacementReport {
  const totals: Record<Locality, number> = { 'node-local': 0, 'rack-local': 0, 'cross-rack': 0, indifferent: 0 };
  const splits = facts.readers.flatMap((reader) =>
    reader.splits.map((split): PlacedSplit => {
      const { id, racks } = split;
      const locality = localityOf(racks, reader.place);
      totals[locality]++;
      const { stepId, subtaskIndex } = reader;
      const because = reasonOfSplit(facts, reader, split, locality);
      return { stepId, splitId: id, racks, subtaskIndex, locality, because };
    }),
  );
  const previous = facts.choice?.previous ?? [];
  const slices = facts.slots.map((slot, index) => placedSlice(slot, index, splits, previous));
  const moved = previous.length === 0 ? 0 : facts.slots.filter((slot, index) => !isAt(slot, previous[index])).length;
  return { slices, splits, edges: edgesOf(facts), totals, moved };
}

function reasonOfSplit(
  { readers, choice }: PlacementFacts,
  { stepId, place }: ReadSplits,
  { racks, stays }: ReadSplit,
  locality: Locality,
): string {
  if (locality === 'node-local') return 'it can be read on this machine';
  if (locality === 'rack-local') return `it can be read within rack ${place.rack ?? ''}`;
  if (locality === 'indifferent') return racks.length === 0 ? 'it does not say where it is' : 'its reader has no rack';
  if (stays) return 'it stays with the subtask that had it in the checkpoint';
  const where = racks.join(', ');
  const near = readers.filter((each) => each.stepId === stepId && isNear(racks, each.place));
  if (near.length > 0) {
    const counts = near.map(({ splits }) => splits.length);
    return `load comes first: who reads in ${where} has ${Math.min(...counts)} splits already`;
  }
  if (choice === null) return `no subtask runs in ${where}`;
  if (!choice.offered.some((each) => isNear(racks, each))) return `no slot was free in ${where}`;
  return `other slots make the whole cheaper than those in ${where}`;
}

function isNear(racks: readonly string[], place: Place): boolean {
  const locality = localityOf(racks, place);
  return locality === 'node-local' || locality === 'rack-local';
}

function placedSlice(
  slot: SlotLocation,
  subtaskIndex: number,
  splits: readonly PlacedSplit[],
  previous: readonly SlotKey[],
): PlacedSlice {
  const own = splits.filter((split) => split.subtaskIndex === subtaskIndex);
  const near = own.filter(({ locality }) => locality === 'node-local' || locality === 'rack-local');
  const { taskManagerId, slotId, rack, host } = slot;
  const because = isAt(slot, previous[subtaskIndex])
    ? 'it ran there before'
    : near.length > 0
      ? `${near.length} of its ${own.length} splits are near`
      : 'slices are spread evenly over TaskManagers and hosts';
  return { subtaskIndex, taskManagerId, slotId, rack, host, because };
}

function isAt({ taskManagerId, slotId }: SlotLocation, key: SlotKey | undefined): boolean {
  return key?.slotId === slotId && key.taskManagerId === taskManagerId;
}

function edgesOf({ graph, slots }: PlacementFacts): readonly PlacedEdge[] {
  const vertices = new Map(graph.vertices.map((vertex) => [vertex.id, vertex]));
  return graph.edges.map(({ from, to, exchange }): PlacedEdge => {
    const [sender, receiver] = [vertices.get(from), vertices.get(to)];
    const senders = slots.slice(0, sender?.parallelism ?? 0);
    const receivers = slots.slice(0, receiver?.parallelism ?? 0);
    const channels = slots.length === 0 ? NO_CHANNELS : channelsOf(exchange.kind, senders, receivers);
    const count = Object.values(channels).reduce((sum, each) => sum + each, 0);
    const crossRackShare = count === 0 ? 0 : channels['cross-rack'] / count;
    return { from: sender?.name ?? from, to: receiver?.name ?? to, exchange: exchange.kind, channels, crossRackShare };
  });
}
