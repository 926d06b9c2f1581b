/** Where a subtask runs; null where nobody has said. */
export interface Place {
  readonly rack: string | null;
  readonly host: string | null;
}

/** Of which nothing is known. */
export const NOWHERE: Place = Object.freeze({ rack: null, host: null });

/** How far a split is from who reads it. `indifferent`: one of the two does not say where it is. */
export type Locality = 'node-local' | 'rack-local' | 'cross-rack' | 'indifferent';

/** `racks` are the hosts and racks where reading is cheap. */
export function localityOf(racks: readonly string[], { rack, host }: Place): Locality {
  if (racks.length === 0) return 'indifferent';
  if (host !== null && racks.includes(host)) return 'node-local';
  if (rack === null) return 'indifferent';
  return racks.includes(rack) ? 'rack-local' : 'cross-rack';
}

/** What reading costs: no number of splits that leave their hosts weighs as much as one that leaves its rack. */
export function localityCost(locality: Locality, splitCount: number): number {
  if (locality === 'cross-rack') return splitCount + 1;
  return locality === 'rack-local' ? 1 : 0;
}
