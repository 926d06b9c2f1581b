import type { FreeSlot } from '../slot-pool.ts';
import { localityCost, localityOf, NOWHERE } from './locality.ts';
import { groupBy, placeSplits, signatureOf } from './place-splits.ts';
import { crowdingCost, hostOf, placeOf } from './placement-request.ts';
import type { PlacementRequest, SlotKey } from './placement-request.ts';

/** With more ways than this to take slots from places, they are not all tried. */
const MAX_TRIED = 200;

/** A way to take the slots, and what it costs: what counts more stands first. */
interface Choice {
  readonly slots: readonly FreeSlot[];
  readonly cost: readonly number[];
}

/**
 * Slots for subtasks that may read any splits: so many at each place as makes reading cheapest once the splits are
 * spread. All ways to do so are tried where they are few, as they are with a handful of racks; else slot by slot.
 */
export function chooseByDemand(request: PlacementRequest, free: readonly FreeSlot[]): readonly FreeSlot[] {
  const mentioned = new Set(request.demands.flatMap(({ splits }) => splits.flatMap(({ racks }) => racks)));
  const keyOf = (slot: FreeSlot): string => (mentioned.size === 0 ? '' : signatureOf(placeOf(slot), mentioned));
  const places = groupBy(free, keyOf).map((members) => members.map((index) => free[index] as FreeSlot));
  const sizes = places.map(({ length }) => length);
  const ways = compositions(request.count, sizes, MAX_TRIED);
  if (ways === null) return choiceOf(request, places, countsByDemand(request, places)).slots;
  const choices = ways.map((counts) => choiceOf(request, places, counts));
  return choices.reduce((best, each) => (isCheaper(each, best) ? each : best)).slots;
}

/** Slot by slot from where most splits wait that nobody is near to yet; of equal places from the least used. */
function countsByDemand(
  { count, demands }: PlacementRequest,
  places: readonly (readonly FreeSlot[])[],
): readonly number[] {
  const waiting = demands.flatMap(({ parallelism, splits }) => {
    const perSubtask = Math.ceil(splits.length / parallelism);
    const classes = groupBy(splits, ({ racks }) => JSON.stringify(racks)).map((members) => {
      const racks = splits[members[0] ?? 0]?.racks ?? [];
      return { left: members.length, isNear: places.map(([slot]) => isNear(racks, slot)) };
    });
    return [{ perSubtask, classes }];
  });
  const counts = places.map(() => 0);
  for (let taken = 0; taken < count; taken++) {
    const gains = places.map((slots, place) => {
      if (counts[place] === slots.length) return -1;
      const gain = waiting.reduce((sum, { perSubtask, classes }) => {
        const near = classes.reduce((all, { left, isNear: near }) => all + (near[place] === true ? left : 0), 0);
        return sum + Math.min(perSubtask, near);
      }, 0);
      return gain + 1 / (2 + (counts[place] ?? 0));
    });
    const place = gains.indexOf(Math.max(...gains));
    counts[place] = (counts[place] ?? 0) + 1;
    for (const { perSubtask, classes } of waiting) {
      let room = perSubtask;
      for (const each of classes) {
        if (each.isNear[place] !== true) continue;
        const served = Math.min(room, each.left);
        each.left -= served;
        room -= served;
      }
    }
  }
  return counts;
}

function isNear(racks: readonly string[], slot: FreeSlot | undefined): boolean {
  const locality = slot === undefined ? 'indifferent' : localityOf(racks, placeOf(slot));
  return locality === 'node-local' || locality === 'rack-local';
}

function isCheaper(a: Choice, b: Choice): boolean {
  const at = a.cost.findIndex((cost, index) => cost !== b.cost[index]);
  return at >= 0 && (a.cost[at] as number) < (b.cost[at] as number);
}

/** All ways to take so many from places of these sizes; null where there are more than `limit`. */
function compositions(total: number, sizes: readonly number[], limit: number): readonly (readonly number[])[] | null {
  let ways: readonly (readonly number[])[] = [[]];
  sizes.forEach((size, place) => {
    const rest = sizes.slice(place + 1).reduce((sum, each) => sum + each, 0);
    ways = ways.slice(0, limit + 1).flatMap((way) => {
      const left = total - way.reduce((sum, each) => sum + each, 0);
      const least = Math.max(0, left - rest);
      return Array.from({ length: Math.min(size, left) - least + 1 }, (_, more) => [...way, least + more]);
    });
  });
  return ways.length > limit ? null : ways;
}

function choiceOf(
  { previous, demands }: PlacementRequest,
  places: readonly (readonly FreeSlot[])[],
  counts: readonly number[],
): Choice {
  const loads = new Map<string, number>();
  let crowding = 0;
  const chosen = places.flatMap((slots, place) => {
    const left = [...slots];
    return Array.from({ length: counts[place] ?? 0 }, () => {
      const next = leastCrowded(left, previous, loads);
      left.splice(left.indexOf(next), 1);
      for (const key of crowdsOf(next)) {
        const load = loads.get(key) ?? 0;
        crowding += crowdingCost(load);
        loads.set(key, load + 1);
      }
      return next;
    });
  });
  const slots = inOrder(chosen, previous);
  const splitCount = demands.reduce((sum, { splits }) => sum + splits.length, 0);
  const reading = demands.reduce((sum, { parallelism, splits }) => {
    const readers = slots.slice(0, parallelism).map((slot) => ({ place: placeOf(slot), splitCount: 0 }));
    if (readers.length === 0) return sum;
    const racks = splits.map((split) => split.racks);
    const readerOf = placeSplits(racks, readers);
    return racks.reduce((total, each, index) => {
      const place = readers[readerOf[index] ?? 0]?.place ?? NOWHERE;
      return total + localityCost(localityOf(each, place), splitCount);
    }, sum);
  }, 0);
  const moves = slots.filter((slot) => !isOneOf(slot, previous)).length;
  return { slots, cost: [reading, previous.length === 0 ? 0 : moves, crowding] };
}

/** One that the job had before, else one where fewest are. */
function leastCrowded(
  slots: readonly FreeSlot[],
  previous: readonly SlotKey[],
  loads: ReadonlyMap<string, number>,
): FreeSlot {
  const own = slots.filter((slot) => isOneOf(slot, previous));
  const crowding = (slot: FreeSlot): number => crowdsOf(slot).reduce((sum, key) => sum + (loads.get(key) ?? 0), 0);
  const candidates = own.length > 0 ? own : slots;
  return candidates.reduce((best, slot) => (crowding(slot) < crowding(best) ? slot : best));
}

function crowdsOf(slot: FreeSlot): readonly string[] {
  return [`manager ${slot.location.taskManagerId}`, hostOf(slot)];
}

function isOneOf({ location }: FreeSlot, previous: readonly SlotKey[]): boolean {
  return previous.some((each) => each.slotId === location.slotId && each.taskManagerId === location.taskManagerId);
}

/** Slices whose slot is there stay in it; the others take what is left, from one place after the other in turn. */
function inOrder(chosen: readonly FreeSlot[], previous: readonly SlotKey[]): readonly FreeSlot[] {
  const order: (FreeSlot | null)[] = chosen.map((_, slice) => {
    const key = previous[slice];
    return key === undefined ? null : (chosen.find((slot) => isOneOf(slot, [key])) ?? null);
  });
  const kept = new Set(order);
  const left = alternating(chosen.filter((slot) => !kept.has(slot)));
  return order.map((slot) => slot ?? (left.shift() as FreeSlot));
}

/** Sources with fewer subtasks than others run in the first slices: these are to be in many places. */
function alternating(slots: readonly FreeSlot[]): FreeSlot[] {
  const racks = groupBy(slots, ({ location }) => location.rack ?? '');
  const longest = Math.max(0, ...racks.map(({ length }) => length));
  const rounds = Array.from({ length: longest }, (_, round) => racks.flatMap((members) => members[round] ?? []));
  return rounds.flat().map((index) => slots[index] as FreeSlot);
}
