/** What records cost the processors, out of samples that are taken from outside the engine. */
import { readFileSync } from 'node:fs';

export interface CpuSample {
  /** Rows of the output that the broker had. */
  readonly rows: number;
  /** What the processes of the engine had used by then. */
  readonly cpuSeconds: number;
}

/** Linux counts in hundredths of a second, whatever the machine. */
const TICKS_PER_SECOND = 100;
/** Of the output; until then programs are loaded and compiled. */
const WARM_UP_SHARE = 0.2;
/** In what follows the name of the program, which may hold blanks. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

/** User and system time of all threads of a process, those that have ended included; null where it is gone. */
export function cpuSecondsOf(pid: number): number | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) / TICKS_PER_SECOND;
}

/**
 * Records per CPU-second from the sample that had a fifth of the output to the first that had all of it, or the last
 * there is. The share of the output stands for the share of the records: windows come a little after their records,
 * whoever computes them.
 */
export function recordsPerCpuSecond(samples: readonly CpuSample[], rows: number, records: number): number {
  const start = samples.find((sample) => sample.rows >= rows * WARM_UP_SHARE);
  const end = samples.find((sample) => sample.rows >= rows) ?? samples.at(-1);
  if (start === undefined || end === undefined || end.rows <= start.rows || end.cpuSeconds <= start.cpuSeconds) {
    throw new Error(`${samples.length} samples of a run with ${rows} rows do not show what it cost`);
  }
  return ((end.rows - start.rows) / rows) * (records / (end.cpuSeconds - start.cpuSeconds));
}
