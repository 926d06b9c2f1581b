import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Run } from './run.ts';

const WATCHER = join(dirname(fileURLToPath(import.meta.url)), 'watcher.ts');

export interface Watch {
  readonly pid: number;
  /** For a run that has removed everything itself. */
  end(): Promise<void>;
}

/** Starts the process that removes what the run has made when this process ends, in whatever way. */
export function watchRun({ id }: Run): Watch {
  // In a group of its own: what ends the run's group from a terminal does not end it.
  const child = spawn(process.execPath, [WATCHER, id], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = once(child, 'exit');
  child.stdin.on('error', () => undefined);
  child.unref();
  return {
    pid: child.pid ?? 0,
    async end() {
      child.ref();
      child.stdin.end('over\n');
      await ended;
    },
  };
}
