/**
 * A facility of the crash test: `MILLRACE_CRASH_POINT=NAME[:COUNT]` ends the process by SIGKILL, as a power cut would,
 * when one of its threads reaches a named step of the commit protocol for the COUNT-th time.
 */
import type { CrashPoint, CrashPoints } from '../core/index.ts';
import { cliErrors } from './errors.ts';

/** The steps in the order of the protocol (docs/design/012). */
export const crashPointNames = Object.keys({
  'barrier-aligned': true,
  'transaction-flushed': true,
  'state-written': true,
  'all-acknowledged': true,
  'metadata-written': true,
  'pointer-moved': true,
  'transaction-committed': true,
  'generation-raised': true,
  'handles-committed': true,
  'older-aborted': true,
  'input-ended': true,
} satisfies Readonly<Record<CrashPoint, true>>) as readonly CrashPoint[];

/** The variable of the environment that sets it. */
export const CRASH_POINT_VARIABLE = 'MILLRACE_CRASH_POINT';

/** What `setting` asks for; nothing where it is empty. Each thread has its own, and counts for itself. */
export function crashPointsOf(
  setting: string | undefined,
  killProcess: () => void,
): { readonly crashPoints?: CrashPoints } {
  if (setting === undefined || setting === '') return {};
  const [, name, count = '1'] = /^([a-z-]+)(?::([1-9]\d{0,8}))?$/.exec(setting) ?? [];
  const point = crashPointNames.find((known) => known === name);
  if (point === undefined) {
    const problem = `${CRASH_POINT_VARIABLE}=${setting}: NAME or NAME:COUNT, NAME one of ${crashPointNames.join(', ')}`;
    throw cliErrors.create('MR-CLI-USAGE', { problem });
  }
  let left = Number(count);
  return {
    crashPoints: {
      reached(reached) {
        if (reached !== point) return;
        left -= 1;
        if (left === 0) killProcess();
      },
    },
  };
}
