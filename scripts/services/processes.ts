/*
 * Processes that outlive the command that started them.
 *
 * A process id alone does not name a process: the system reuses it. An identity is the id together with the moment
 * the process was started, as the system tells it, and no signal is sent unless both still match.
 */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

import { ServicesError } from './errors.ts';
import { waitUntil } from './wait-until.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; equal only for the same process since the same boot. */
  readonly startedAt: string;
}

function linuxStartedAt(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The command name stands in parentheses and may hold anything, so count fields from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = fields[19];
  // A zombie has ended; only its parent has not looked yet.
  if (state === 'Z' || state === 'X' || startTicks === undefined) return undefined;
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return `${boot}/${startTicks}`;
}

function portableStartedAt(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const [state, ...started] = line.split(/\s+/);
    if (state === undefined || state === '' || state.startsWith('Z')) return undefined;
    return started.join(' ');
  } catch {
    return undefined;
  }
}

function startedAt(pid: number): string | undefined {
  return process.platform === 'linux' ? linuxStartedAt(pid) : portableStartedAt(pid);
}

/** The identity of a running process, or undefined when there is none with this id. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const started = startedAt(pid);
  return started === undefined ? undefined : { pid, startedAt: started };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return startedAt(identity.pid) === identity.startedAt;
}

/** Sends a signal if the process is still the same one. Returns whether it was sent. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

export interface DaemonOptions {
  command: string;
  args: readonly string[];
  cwd: string;
  /** Receives standard output and standard error, appended. */
  logFile: string;
  env?: NodeJS.ProcessEnv;
}

/** Starts a process in its own group, which goes on when this one ends. */
export function startDaemon(options: DaemonOptions): ProcessIdentity {
  const log = openSync(options.logFile, 'a');
  try {
    const child = spawn(options.command, options.args, {
      cwd: options.cwd,
      detached: true,
      stdio: ['ignore', log, log],
      env: options.env ?? process.env,
    });
    child.on('error', () => {
      // Told below, by the missing process id.
    });
    child.unref();
    const identity = child.pid === undefined ? undefined : identifyProcess(child.pid);
    if (identity === undefined) {
      throw new ServicesError(`could not start ${options.command}; see ${options.logFile}`);
    }
    return identity;
  } finally {
    closeSync(log);
  }
}

/** Asks with SIGTERM (or `signal`), and after the grace ends the process with SIGKILL. Returns when it is gone. */
export async function stopProcess(
  identity: ProcessIdentity,
  options: { signal?: NodeJS.Signals; graceMs?: number } = {},
): Promise<void> {
  const signal = options.signal ?? 'SIGTERM';
  if (!signalProcess(identity, signal)) return;
  // A stopped process takes a SIGTERM only once it runs again.
  if (signal !== 'SIGKILL') signalProcess(identity, 'SIGCONT');
  const gone = (): true | undefined => (isAlive(identity) ? undefined : true);
  try {
    await waitUntil(`process ${String(identity.pid)} to end`, gone, { timeoutMs: options.graceMs ?? 10_000 });
  } catch {
    signalProcess(identity, 'SIGKILL');
    await waitUntil(`process ${String(identity.pid)} to end after SIGKILL`, gone, { timeoutMs: 10_000 });
  }
}
