/** One life of the job's process, and how it ended. */
import { appendFileSync } from 'node:fs';

import { startMillrace } from '../cli/run-millrace.ts';
import type { Kill } from './kill-plan.ts';

export interface JobRunRequest {
  readonly args: readonly string[];
  /** Null to let it end by itself. */
  readonly kill: Kill | null;
  /** What a random kill takes a share of. */
  readonly spanMs: number;
  /** A run that lasts longer is hung, or never gets where it is to be killed. */
  readonly deadlineMs: number;
  /** Everything that the process says is added to this file. */
  readonly logFile: string;
  /** Called once with the end of the process, as soon as it has been started. */
  readonly onStart?: (ended: Promise<unknown>) => void;
}

export interface JobRun {
  readonly how: 'killed' | 'ended' | 'overdue';
  readonly exitCode: number;
  /** What it said on standard error. */
  readonly errors: string;
  readonly elapsedMs: number;
  /** The checkpoint that it resumed; null where it started anew or was killed before it told. */
  readonly resumed: number | null;
  readonly startedAnew: boolean;
  /** Ids of checkpoints that it completed, as far as it told before its end. */
  readonly completed: readonly number[];
}

const KILLED_EXIT_CODE = 128 + 9;
/** What `millrace run` says (src/cli/checkpoint-notes.ts). */
const RESUMED = /^resuming checkpoint (\d+)/m;
const STARTED_ANEW = /^starting anew/m;
const COMPLETED = /^checkpoint (\d+) completed/gm;

export async function runJobProcess(request: JobRunRequest): Promise<JobRun> {
  const { args, kill, spanMs, deadlineMs, logFile } = request;
  const startedMs = performance.now();
  const environment: Record<string, string> =
    kill?.kind === 'point' ? { MILLRACE_CRASH_POINT: `${kill.point}:${kill.count}` } : {};
  const deadline = new AbortController();
  const command = startMillrace(args, { environment, deadlineMs: 2 * deadlineMs });
  request.onStart?.(command.ended);
  const timers = [
    setTimeout(() => {
      deadline.abort();
      command.signal('SIGKILL');
    }, deadlineMs),
    ...(kill?.kind === 'random' ? [setTimeout(() => command.signal('SIGKILL'), kill.share * spanMs)] : []),
  ];
  const { exitCode, errors } = await command.ended;
  for (const timer of timers) clearTimeout(timer);
  appendFileSync(logFile, errors);
  return {
    how: deadline.signal.aborted ? 'overdue' : exitCode === KILLED_EXIT_CODE ? 'killed' : 'ended',
    exitCode,
    errors,
    elapsedMs: performance.now() - startedMs,
    ...toldBy(errors),
  };
}

function toldBy(errors: string): Pick<JobRun, 'resumed' | 'startedAnew' | 'completed'> {
  const resumed = RESUMED.exec(errors)?.[1];
  return {
    resumed: resumed === undefined ? null : Number(resumed),
    startedAnew: STARTED_ANEW.test(errors),
    completed: [...errors.matchAll(COMPLETED)].map(([, id]) => Number(id)),
  };
}

/** Lives until its first checkpoint is complete, and is killed then; resolves to how long that took. */
export async function runToFirstCheckpoint(args: readonly string[], deadlineMs: number): Promise<number> {
  const startedMs = performance.now();
  const command = startMillrace(args, { deadlineMs });
  await command.saying(/^checkpoint \d+ completed/m);
  command.signal('SIGKILL');
  await command.ended;
  return performance.now() - startedMs;
}
