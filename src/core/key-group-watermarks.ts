/**
 * How far event time had come for some key groups: first group, last group and watermark in ms, three numbers for each
 * run of groups; runs are in order and do not overlap.
 */
export type KeyGroupRuns = readonly number[];

/**
 * Key groups that are ahead of their subtask. Subtasks of a step may have come to different watermarks where a barrier
 * has overtaken some of them; after a restore at another parallelism a subtask begins with the least, and key groups
 * whose earlier subtask was further have emitted by then what is due until their own.
 */
export class KeyGroupWatermarks {
  /** The latest of all; -Infinity where there are none. */
  readonly latestMs: number;
  readonly #runs: KeyGroupRuns;
  /** By key group. */
  readonly #watermarks: Float64Array;

  constructor(runs: KeyGroupRuns) {
    this.#runs = runs;
    this.#watermarks = new Float64Array((runs.at(-2) ?? -1) + 1).fill(-Infinity);
    let latestMs = -Infinity;
    for (const [first, last, watermarkMs] of runsIn(runs)) {
      this.#watermarks.fill(watermarkMs, first, last + 1);
      latestMs = Math.max(latestMs, watermarkMs);
    }
    this.latestMs = latestMs;
  }

  /** -Infinity for a group that is not ahead. */
  of(keyGroup: number): number {
    return this.#watermarks[keyGroup] ?? -Infinity;
  }

  /** Those that are ahead of a watermark still. */
  after(watermarkMs: number): KeyGroupRuns {
    return runsIn(this.#runs).flatMap((run) => (run[2] > watermarkMs ? run : []));
  }
}

/** Runs of what `watermarkOf` says of each of these groups, which are in order; -Infinity for those that have none. */
export function keyGroupRuns(groups: Iterable<number>, watermarkOf: (keyGroup: number) => number): KeyGroupRuns {
  const runs: number[] = [];
  for (const group of groups) {
    const watermarkMs = watermarkOf(group);
    if (watermarkMs === -Infinity) continue;
    if (runs.at(-2) === group - 1 && runs.at(-1) === watermarkMs) runs[runs.length - 2] = group;
    else runs.push(group, group, watermarkMs);
  }
  return runs;
}

function runsIn(runs: KeyGroupRuns): readonly (readonly [first: number, last: number, watermarkMs: number])[] {
  const all: [number, number, number][] = [];
  for (let at = 0; at + 2 < runs.length; at += 3) {
    all.push([runs[at] as number, runs[at + 1] as number, runs[at + 2] as number]);
  }
  return all;
}
