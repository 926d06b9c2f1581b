/** This program once more, in processes of its own: the only home of node:child_process. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface ProgramEnd {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** A process that runs this program, with a pipe to it that closes when this process ends, however that happens. */
export interface StartedProgram {
  readonly processId: number;
  onOutput(listener: (line: string) => void): void;
  onErrors(listener: (line: string) => void): void;
  readonly ended: Promise<ProgramEnd>;
  signal(signal: NodeJS.Signals): void;
}

/** Rejects where it cannot be started. In a group of its own: a terminal's Ctrl-C reaches this process alone. */
export function startProgram(script: string, args: readonly string[]): Promise<StartedProgram> {
  const child = spawn(process.execPath, [...process.execArgv, script, ...args], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<ProgramEnd>((resolve) => {
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  // It may end at any time; what it is told then is lost.
  child.stdin.on('error', () => undefined);
  const output = createInterface({ input: child.stdout });
  const errors = createInterface({ input: child.stderr });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () =>
      resolve({
        processId: child.pid ?? 0,
        onOutput: (listener) => output.on('line', listener),
        onErrors: (listener) => errors.on('line', listener),
        ended,
        signal: (signal) => {
          child.kill(signal);
        },
      }),
    );
  });
}
