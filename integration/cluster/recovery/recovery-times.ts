import type { SeenRow } from '../trial.ts';

export interface RecoveryTimes {
  /** Until the first row of what was sent after the disturbance was committed. */
  readonly firstOutputMs: number;
  /** Until rows of every partition came as soon after what they count as before. */
  readonly caughtUpMs: number;
}

/** How long before a disturbance tells what is usual. */
const USUAL_MS = 5000;
const SLACK_MS = 250;

/**
 * What the committed reader has seen of a disturbance, whose times count from `atMs` on; null while it has not seen
 * enough. What is usual is what it saw before the disturbance began.
 */
export function recoveryTimes(seen: readonly SeenRow[], atMs: number, beganAtMs = atMs): RecoveryTimes | null {
  const before = seen.filter(({ seenAtMs }) => seenAtMs <= beganAtMs && seenAtMs > beganAtMs - USUAL_MS);
  const usualMs = Math.max(0, ...before.map(latencyOf)) + SLACK_MS;
  const partitions = new Set(before.map(({ partition }) => partition));
  const after = seen.filter(({ sentAtMs }) => sentAtMs >= atMs);
  const [first] = after;
  if (first === undefined || partitions.size === 0) return null;
  let caughtUpAtMs = 0;
  for (const partition of partitions) {
    const caughtUp = after.find((row) => row.partition === partition && latencyOf(row) <= usualMs);
    if (caughtUp === undefined) return null;
    caughtUpAtMs = Math.max(caughtUpAtMs, caughtUp.seenAtMs);
  }
  return { firstOutputMs: first.seenAtMs - atMs, caughtUpMs: caughtUpAtMs - atMs };
}

function latencyOf({ seenAtMs, sentAtMs }: SeenRow): number {
  return seenAtMs - sentAtMs;
}

/**
 * The longest time in which nothing was appended, committed or not, from the disturbance on: the broker's clock says
 * when each row was. Tasks that went on have appended all the time.
 */
export function longestPauseMs(appendedAtMs: readonly number[], fromMs: number, untilMs: number): number {
  const times = appendedAtMs.filter((time) => time >= fromMs && time <= untilMs).sort((a, b) => a - b);
  let longest = 0;
  let last = fromMs;
  for (const time of [...times, untilMs]) {
    longest = Math.max(longest, time - last);
    last = time;
  }
  return longest;
}
