import type { Split } from '../core/index.ts';

/**
 * Gives each split to the subtask that has the fewest, the first of them where several do. `counts` is how many each
 * subtask has already. Returns the new splits of each subtask.
 */
export function assignSplits(splits: readonly Split[], counts: readonly number[]): readonly (readonly Split[])[] {
  const load = [...counts];
  const assigned: Split[][] = counts.map(() => []);
  for (const split of splits) {
    let least = 0;
    for (let subtask = 1; subtask < load.length; subtask++) {
      if ((load[subtask] as number) < (load[least] as number)) least = subtask;
    }
    assigned[least]?.push(split);
    load[least] = (load[least] as number) + 1;
  }
  return assigned;
}
