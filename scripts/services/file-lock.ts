/*
 * A lock between processes: a file that names its holder. It is made with its content in one step (a hard link to a
 * file already written), so nobody ever sees a lock without a holder; a lock whose holder no longer runs is taken over
 * by renaming it away, which only one of several contenders can do.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { identifyProcess, isAlive, type ProcessIdentity } from './processes.ts';
import { waitUntil } from './wait-until.ts';

function readHolder(path: string): (ProcessIdentity & { token: string }) | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity & { token: string };
  } catch {
    return undefined;
  }
}

function tryLock(path: string, own: ProcessIdentity, token: string): boolean {
  const candidate = `${path}.${token}`;
  writeFileSync(candidate, JSON.stringify({ ...own, token }));
  try {
    linkSync(candidate, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(candidate, { force: true });
  }
  const holder = readHolder(path);
  if (holder === undefined || isAlive(holder)) return false;
  const abandoned = `${path}.${token}.abandoned`;
  try {
    renameSync(path, abandoned);
  } catch {
    return false;
  }
  const moved = readHolder(abandoned);
  if (moved !== undefined && moved.token !== holder.token) {
    // Someone else took the lock over in between: give the living holder its lock back.
    try {
      linkSync(abandoned, path);
    } catch {
      // A third contender holds it by now; both saw a dead holder, and the deadline will tell.
    }
  }
  rmSync(abandoned, { force: true });
  return false;
}

export interface LockOptions {
  timeoutMs?: number;
  /** Called once when the lock is not free at once. */
  onWait?: () => void;
}

/** Runs `work` while this process alone holds the lock at `path`. */
export async function withFileLock<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const own = identifyProcess(process.pid);
  if (own === undefined) throw new Error('this process cannot read its own start time');
  const token = randomUUID();
  let waiting = false;
  await waitUntil(
    `the lock ${path}`,
    () => {
      if (tryLock(path, own, token)) return true;
      if (!waiting) options.onWait?.();
      waiting = true;
      return undefined;
    },
    { timeoutMs: options.timeoutMs ?? 600_000, intervalMs: 50 },
  );
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}
