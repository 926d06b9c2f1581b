import type { FreeSlot } from '../slot-pool.ts';
import { localityCost, localityOf, NOWHERE } from './locality.ts';
import { crowdingCost, hostOf, placeOf } from './placement-request.ts';
import type { SourceDemand } from './placement-request.ts';
import { placeSubtasks } from './place-subtasks.ts';

/**
 * Where slices would run if they were placed now, without regard to where they are; null where that costs no less:
 * neither are splits nearer to who reads them, nor are slices spread more evenly. Pure. `present` is in the order of
 * slices, `offered` is all that the job may have, what it has included.
 */
export function improvePlacement(
  demands: readonly SourceDemand[],
  present: readonly FreeSlot[],
  offered: readonly FreeSlot[],
): readonly FreeSlot[] | null {
  const chosen = placeSubtasks({ count: present.length, demands, previous: [] }, offered);
  if (chosen === null) return null;
  const [before, after] = [present, chosen].map((slots) => ({
    reading: readingCost(demands, slots),
    crowding: crowdingOf(slots),
  }));
  if (before === undefined || after === undefined) return null;
  const gain = before.reading - after.reading || before.crowding - after.crowding;
  return gain > 0 ? chosen : null;
}

/** Of splits whose readers are decided. */
function readingCost(demands: readonly SourceDemand[], slots: readonly FreeSlot[]): number {
  const splits = demands.flatMap((demand) => demand.splits);
  return splits.reduce((sum, { racks, subtaskIndex }) => {
    const slot = subtaskIndex === null ? undefined : slots[subtaskIndex];
    const place = slot === undefined ? NOWHERE : placeOf(slot);
    return sum + localityCost(localityOf(racks, place), splits.length);
  }, 0);
}

function crowdingOf(slots: readonly FreeSlot[]): number {
  const loads = new Map<string, number>();
  return slots.reduce((sum, slot) => {
    let cost = sum;
    for (const place of [`manager ${slot.location.taskManagerId}`, hostOf(slot)]) {
      const load = loads.get(place) ?? 0;
      loads.set(place, load + 1);
      cost += crowdingCost(load);
    }
    return cost;
  }, 0);
}
