import { isMillraceError } from '../../core/index.ts';
import type { JobId, RunIdentity } from '../../core/index.ts';
import { attemptsOf } from '../../ha/index.ts';
import type { ExecutionPlan } from '../../ha/index.ts';
import { schedulerErrors } from '../errors.ts';
import type { JobAttempt } from '../job-attempt.ts';
import type { JobSlots } from '../job-slots.ts';
import type { JobRecovery, ResumedRun } from './job-recovery.ts';
import { matchReports } from './take-over.ts';
import type { AdoptedTask } from './take-over.ts';

export interface AdoptionOptions {
  readonly jobId: JobId;
  readonly plan: ExecutionPlan;
  readonly slots: JobSlots;
  /** How long TaskManagers of the plan are waited for. */
  readonly timeoutMs: number;
  /** Null where the job takes no checkpoints. */
  readonly recovery: JobRecovery | null;
  /** `numbers` of each slice. */
  readonly createAttempt: (numbers: readonly number[], run: RunIdentity | null) => JobAttempt;
}

export interface AdoptedAttempt {
  readonly kind: 'runs';
  readonly attempt: JobAttempt;
  readonly tasks: readonly AdoptedTask[];
  /** Null where the job takes no checkpoints. */
  readonly resumed: ResumedRun | null;
}

/**
 * Takes over the attempt that an earlier leader has deployed: docs/design/018, "Taking over without a stop". Resolves
 * to `finished` where all that is missing is that somebody says so. Rejects where the tasks cannot go on; then they
 * have ended, as far as they could be reached, and their slots are given back.
 */
export async function adoptAttempt(options: AdoptionOptions): Promise<AdoptedAttempt | { readonly kind: 'finished' }> {
  const { plan, slots, recovery, createAttempt, timeoutMs } = options;
  let attempt: JobAttempt | null = null;
  try {
    const [resuming, adopting] = await Promise.allSettled([
      recovery?.resume(plan.attempt, Math.min(...attemptsOf(plan))) ?? null,
      slots.adopt(plan, timeoutMs),
    ]);
    if (resuming.status === 'rejected') throw resuming.reason;
    const resumed = resuming.value;
    if (resumed === 'finished') return { kind: 'finished' };
    if (adopting.status === 'rejected') throw adopting.reason;
    attempt = createAttempt(attemptsOf(plan), resumed?.run ?? null);
    const tasks = await adoptTasks(options, attempt, adopting.value, resumed);
    return { kind: 'runs', attempt, tasks, resumed };
  } catch (error) {
    const isFreed = (await attempt?.close()) ?? false;
    if (!isFreed) for (const each of attemptsOf(plan)) recovery?.lingers(each);
    slots.release();
    throw error;
  }
}

async function adoptTasks(
  { jobId, plan, slots }: AdoptionOptions,
  attempt: JobAttempt,
  allocated: Parameters<JobAttempt['adopt']>[0],
  resumed: ResumedRun | null,
): Promise<readonly AdoptedTask[]> {
  const gone = (reason: string) => schedulerErrors.create('MR-JOB-SLOTS-GONE', { attempt: plan.attempt, reason });
  const reports = await attempt.adopt(allocated).catch((error: unknown) => {
    throw gone(isMillraceError(error) ? error.message : String(error));
  });
  const matched = matchReports({
    ...{ jobId, attempts: attempt.numbers, executions: attempt.executions, slots: reports },
    takesCheckpoints: resumed !== null,
    restored: resumed === null || resumed.isOwn ? null : resumed.last,
  });
  if ('mismatch' in matched) throw gone(matched.mismatch);
  if (slots.haveLosses) throw gone('a TaskManager was lost meanwhile');
  return matched;
}
