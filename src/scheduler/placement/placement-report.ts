import type { SplitId } from '../../core/index.ts';
import { localityOf } from './locality.ts';
import type { Locality, Place } from './locality.ts';

/** Who reads a split, and how far from there it is. */
export interface PlacedSplit {
  readonly stepId: string;
  readonly splitId: SplitId;
  readonly subtaskIndex: number;
  readonly locality: Locality;
}

/** What a placement costs, explained. */
export interface PlacementReport {
  readonly splits: readonly PlacedSplit[];
  /** How many splits are how far away. */
  readonly totals: Readonly<Record<Locality, number>>;
}

/** The splits that one subtask of a source reads. */
export interface ReadSplits {
  readonly stepId: string;
  readonly subtaskIndex: number;
  readonly place: Place;
  readonly splits: readonly { readonly id: SplitId; readonly racks: readonly string[] }[];
}

export function explainPlacement(readers: readonly ReadSplits[]): PlacementReport {
  const totals: Record<Locality, number> = { 'node-local': 0, 'rack-local': 0, 'cross-rack': 0, indifferent: 0 };
  const splits = readers.flatMap(({ stepId, subtaskIndex, place, splits: own }) =>
    own.map(({ id, racks }): PlacedSplit => {
      const locality = localityOf(racks, place);
      totals[locality]++;
      return { stepId, splitId: id, subtaskIndex, locality };
    }),
  );
  return { splits, totals };
}
