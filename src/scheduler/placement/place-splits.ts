/**
 * Stage two of the placement: which subtask reads which split. Pure.
 *
 * First the load decides: each subtask gets as many splits as an even spread gives it, which leaves a few that may go
 * to any of the least loaded. Then the way to read that costs least under this is a flow: from splits that are alike
 * to places that are alike, since neither how many partitions nor how many subtasks there are is small.
 */
import { localityCost, localityOf, NOWHERE } from './locality.ts';
import type { Place } from './locality.ts';
import { MinCostFlow } from './min-cost-flow.ts';

export interface Reader {
  readonly place: Place;
  /** Splits that it has already, and keeps. */
  readonly splitCount: number;
}

interface Seat {
  readonly reader: number;
  /** Of readers at the same place. */
  readonly group: number;
  /** How many it takes whatever happens, and whether it may take one more. */
  readonly base: number;
  readonly mayTakeMore: boolean;
}

/** The index of the reader of each split. Loads differ by at most one where those before did. */
export function placeSplits(splits: readonly (readonly string[])[], readers: readonly Reader[]): readonly number[] {
  const classes = groupBy(splits, (racks) => JSON.stringify([...new Set(racks)].sort()));
  const mentioned = new Set(splits.flat());
  const places = groupBy(readers, ({ place }) => signatureOf(place, mentioned));
  const seats = seatsOf(readers, splits.length, places);
  const flows = cheapestFlows(splits, readers, classes, places, seats);
  const placed = new Array<number>(splits.length).fill(-1);
  const left = classes.map((members) => [...members]);
  const taken = new Map<number, number>();
  places.forEach((_, group) => {
    const own = seats.filter((seat) => seat.group === group);
    // All take what they take whatever happens before any takes one more.
    const order = [
      ...own.flatMap(({ reader, base }) => new Array<number>(base).fill(reader)),
      ...own.filter(({ mayTakeMore }) => mayTakeMore).map(({ reader }) => reader),
    ];
    left.forEach((members, index) => {
      for (const split of members.splice(0, flows[index]?.[group] ?? 0)) {
        const next = taken.get(group) ?? 0;
        placed[split] = order[next] as number;
        taken.set(group, next + 1);
      }
    });
  });
  return placed;
}

/** As much of a place as decides what reading costs there. */
export function signatureOf({ rack, host }: Place, mentioned: ReadonlySet<string>): string {
  return JSON.stringify([host !== null && mentioned.has(host) ? host : null, rack]);
}

function seatsOf(readers: readonly Reader[], count: number, places: readonly (readonly number[])[]): readonly Seat[] {
  const groupOf = new Map(places.flatMap((members, group) => members.map((reader) => [reader, group] as const)));
  const counts = readers.map(({ splitCount }) => splitCount);
  // The level to which all can be filled up.
  let level = Math.min(...counts);
  const needed = (upTo: number): number => counts.reduce((sum, has) => sum + Math.max(0, upTo - has), 0);
  while (needed(level + 1) <= count) level++;
  return counts.map((has, reader) => ({
    reader,
    group: groupOf.get(reader) ?? 0,
    base: Math.max(0, level - has),
    mayTakeMore: has <= level,
  }));
}

/** How many splits of each class go to each group of places. */
function cheapestFlows(
  splits: readonly (readonly string[])[],
  readers: readonly Reader[],
  classes: readonly (readonly number[])[],
  places: readonly (readonly number[])[],
  seats: readonly Seat[],
): readonly (readonly number[])[] {
  const source = classes.length + places.length;
  const sink = source + 1;
  const flow = new MinCostFlow(sink + 1);
  const edges = classes.map((members, index) => {
    flow.addEdge(source, index, members.length, 0);
    const racks = splits[members[0] ?? 0] ?? [];
    return places.map((own, group) => {
      const place = readers[own[0] ?? 0]?.place ?? NOWHERE;
      const cost = localityCost(localityOf(racks, place), splits.length);
      return flow.addEdge(index, classes.length + group, members.length, cost);
    });
  });
  // Dearer than any way to read, so that nobody takes one more before all have what they are to have.
  const more = (splits.length + 1) * (splits.length + 1);
  places.forEach((_, group) => {
    const own = seats.filter((seat) => seat.group === group);
    flow.addEdge(classes.length + group, sink, own.reduce((sum, { base }) => sum + base, 0), 0);
    flow.addEdge(classes.length + group, sink, own.filter(({ mayTakeMore }) => mayTakeMore).length, more);
  });
  flow.send(source, sink, splits.length);
  return edges.map((own) => own.map((edge) => flow.flowOf(edge)));
}

/** Indexes of what is alike, each in order, in the order of the first of each. */
export function groupBy<T>(all: readonly T[], keyOf: (each: T) => string): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  all.forEach((each, index) => {
    const key = keyOf(each);
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [index]);
    else members.push(index);
  });
  return [...groups.values()];
}
