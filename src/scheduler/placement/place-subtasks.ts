/**
 * Stage one of the placement: which slots a job takes, and which slice runs in which. Pure.
 *
 * What counts, in this order: few splits read across racks, few across hosts, slices where they were before (their
 * state may be there still), an even spread over TaskManagers and hosts.
 */
import type { FreeSlot } from '../slot-pool.ts';
import { assignSlices } from './assign-slices.ts';
import { chooseByDemand } from './choose-by-demand.ts';
import { localityOf, NOWHERE } from './locality.ts';
import { placeOf } from './placement-request.ts';
import type { PlacementRequest, SourceDemand } from './placement-request.ts';
import { placeSplits } from './place-splits.ts';

/** The slots in the order of slices; null where there are not enough. */
export function placeSubtasks(request: PlacementRequest, free: readonly FreeSlot[]): readonly FreeSlot[] | null {
  if (free.length < request.count) return null;
  const isDecided = request.demands.some(({ splits }) => splits.some(({ subtaskIndex }) => subtaskIndex !== null));
  return isDecided ? assignSlices(request, free) : chooseByDemand(request, free);
}

/** Whether splits would be read across racks by subtasks in these slots. */
export function readsAcrossRacks(demands: readonly SourceDemand[], slots: readonly FreeSlot[]): boolean {
  return demands.some(({ parallelism, splits }) => {
    const places = slots.slice(0, parallelism).map(placeOf);
    const open = splits.filter(({ subtaskIndex }) => subtaskIndex === null).map(({ racks }) => racks);
    const readers = places.map((place, index) => ({
      place,
      splitCount: splits.filter(({ subtaskIndex }) => subtaskIndex === index).length,
    }));
    const isFar = (racks: readonly string[], reader: number): boolean =>
      localityOf(racks, places[reader] ?? NOWHERE) === 'cross-rack';
    const readerOf = placeSplits(open, readers);
    return (
      splits.some(({ racks, subtaskIndex }) => subtaskIndex !== null && isFar(racks, subtaskIndex)) ||
      open.some((racks, index) => isFar(racks, readerOf[index] ?? -1))
    );
  });
}
