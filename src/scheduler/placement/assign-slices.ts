import type { FreeSlot } from '../slot-pool.ts';
import { localityCost, localityOf } from './locality.ts';
import { MinCostFlow } from './min-cost-flow.ts';
import { groupBy } from './place-splits.ts';
import { crowdingCost, hostOf, placeOf } from './placement-request.ts';
import type { PlacementRequest } from './placement-request.ts';

/**
 * Slots for slices whose splits are decided already: the cheapest assignment, as a flow from slices to TaskManagers
 * (all slots of one are alike) to hosts, where each further slot on the same one costs more than the one before.
 */
export function assignSlices(request: PlacementRequest, free: readonly FreeSlot[]): readonly FreeSlot[] {
  const { count, previous } = request;
  const managers = groupBy(free, ({ location }) => location.taskManagerId).map((members) =>
    members.map((index) => free[index] as FreeSlot),
  );
  const hosts = groupBy(managers, ([slot]) => hostOf(slot as FreeSlot));
  const [firstManager, firstHost] = [count, count + managers.length];
  const source = firstHost + hosts.length;
  const flow = new MinCostFlow(source + 2);
  const weights = weightsOf(request);
  const edges = Array.from({ length: count }, (_, slice) => {
    flow.addEdge(source, slice, 1, 0);
    const own = splitsOf(request, slice);
    return managers.map(([slot], manager) => {
      const place = placeOf(slot as FreeSlot);
      const reading = own.reduce((sum, racks) => sum + localityCost(localityOf(racks, place), weights.splitCount), 0);
      const isMove = previous.length > 0 && previous[slice]?.taskManagerId !== slot?.location.taskManagerId;
      const cost = reading * weights.reading + (isMove ? weights.moving : 0);
      return flow.addEdge(slice, firstManager + manager, 1, cost);
    });
  });
  hosts.forEach((members, host) => {
    let capacity = 0;
    for (const manager of members) {
      const { length } = managers[manager] ?? [];
      for (let n = 0; n < length; n++) flow.addEdge(firstManager + manager, firstHost + host, 1, crowdingCost(n));
      capacity += length;
    }
    for (let n = 0; n < capacity; n++) flow.addEdge(firstHost + host, source + 1, 1, crowdingCost(n));
  });
  flow.send(source, source + 1, count);
  const chosen = edges.map((own) => own.findIndex((edge) => flow.flowOf(edge) > 0));
  return slotsOf(chosen, managers, previous);
}

/** Whatever stands first in the list of what counts outweighs all that follows. */
function weightsOf({ count, demands }: PlacementRequest) {
  const splitCount = demands.reduce((sum, { splits }) => sum + splits.length, 0);
  // An even spread costs at most the square of the count, on TaskManagers and on hosts.
  const moving = 2 * count * count + 1;
  return { splitCount, moving, reading: moving * (count + 1) };
}

function splitsOf({ demands }: PlacementRequest, slice: number): readonly (readonly string[])[] {
  return demands.flatMap(({ splits }) =>
    splits.filter(({ subtaskIndex }) => subtaskIndex === slice).map(({ racks }) => racks),
  );
}

/** Of its TaskManager's slots a slice gets the one that it had. */
function slotsOf(
  chosen: readonly number[],
  managers: readonly (readonly FreeSlot[])[],
  previous: PlacementRequest['previous'],
): readonly FreeSlot[] {
  const left = managers.map((slots) => [...slots]);
  const taken = chosen.map((manager, slice): FreeSlot | null => {
    const slots = left[manager] ?? [];
    const before = slots.findIndex(
      ({ location }) =>
        location.slotId === previous[slice]?.slotId && location.taskManagerId === previous[slice].taskManagerId,
    );
    return before < 0 ? null : (slots.splice(before, 1)[0] ?? null);
  });
  return taken.map((slot, slice) => slot ?? (left[chosen[slice] ?? 0]?.shift() as FreeSlot));
}
