import type { Terminal } from '../process-environment.ts';
import { progressLine, progressTable, type JobProgress } from './job-progress.ts';

/** Shows a running job to people. */
export interface ProgressDisplay {
  /** How often update() is worth calling. */
  readonly intervalMs: number;
  /** Called once, first. */
  start(progress: JobProgress): void;
  update(progress: JobProgress): void;
  /** Tells a line in between. */
  note(line: string): void;
  /** Tells a line that is of use in a log only; what is drawn over again says the same in its own place. */
  log(line: string): void;
  /** Called once, last. */
  finish(progress: JobProgress): void;
}

const LIVE_INTERVAL_MS = 250;
const PLAIN_INTERVAL_MS = 5000;

/** A table at the end of a terminal that is drawn over again. */
export function liveDisplay(terminal: Terminal, write: (text: string) => void): ProgressDisplay {
  let drawnLines = 0;
  const draw = (progress: JobProgress): void => {
    const width = Math.max(1, terminal.columns() - 1);
    // A table higher than the window could not be drawn over: its lines would have scrolled away.
    const lines = progressTable(progress).slice(0, Math.max(1, terminal.rows() - 1));
    const clear = drawnLines === 0 ? '' : `\u001b[${drawnLines}A\u001b[0J`;
    write(clear + lines.map((line) => `${line.slice(0, width)}\n`).join(''));
    drawnLines = lines.length;
  };
  const note = (line: string): void => {
    write(`${line}\n`);
    // What is above the line stays; the table goes on below.
    drawnLines = 0;
  };
  return { intervalMs: LIVE_INTERVAL_MS, start: draw, update: draw, note, log: () => undefined, finish: draw };
}

/** A line now and then, for logs. */
export function plainDisplay(write: (text: string) => void): ProgressDisplay {
  const note = (line: string): void => write(`${line}\n`);
  const update = (progress: JobProgress): void => note(progressLine(progress));
  const start = ({ jobName, steps }: JobProgress): void => {
    note(`running ${jobName}: ${steps.map(({ stepId, what }) => `${stepId} (${what})`).join(', ')}`);
  };
  return { intervalMs: PLAIN_INTERVAL_MS, start, update, note, log: note, finish: update };
}

/** Shows nothing. */
export const noDisplay: ProgressDisplay = {
  intervalMs: PLAIN_INTERVAL_MS,
  start: () => undefined,
  update: () => undefined,
  note: () => undefined,
  log: () => undefined,
  finish: () => undefined,
};
