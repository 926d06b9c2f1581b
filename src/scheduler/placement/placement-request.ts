import type { FreeSlot } from '../slot-pool.ts';
import type { Place } from './locality.ts';

/** A split that a source is going to read. */
export interface DemandedSplit {
  /** The hosts and racks where reading is cheap. */
  readonly racks: readonly string[];
  /** Who reads it, where that is decided already: whoever had it in the checkpoint. */
  readonly subtaskIndex: number | null;
}

export interface SourceDemand {
  readonly parallelism: number;
  readonly splits: readonly DemandedSplit[];
}

export interface PlacementRequest {
  /** How many slots. */
  readonly count: number;
  readonly demands: readonly SourceDemand[];
  /** The slots of the attempt before, in the order of slices; empty at first. */
  readonly previous: readonly SlotKey[];
}

/** A slot, as far as it is to be told from others. */
export interface SlotKey {
  readonly taskManagerId: string;
  readonly slotId: string;
}

export function placeOf({ location: { rack, host } }: FreeSlot): Place {
  return { rack, host };
}

/** What it costs that a host or TaskManager gets one more slot: what is even costs least in all. */
export function crowdingCost(before: number): number {
  return 2 * before + 1;
}

/** A host; a TaskManager that does not say where it is counts as one of its own. */
export function hostOf({ location: { host, taskManagerId } }: FreeSlot): string {
  return host === null ? `of ${taskManagerId}` : `host ${host}`;
}
