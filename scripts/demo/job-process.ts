import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** `millrace run`, as a user would start it, in a process of its own. */
export interface JobProcess {
  /** Its exit code; 128 + n where signal n ended it. */
  readonly ended: Promise<number>;
  signal(signal: NodeJS.Signals): void;
}

export interface JobRequest {
  readonly root: string;
  readonly jobFile: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Where its standard output goes; null for the terminal. */
  readonly outputFile: string | null;
}

export function startJob({ root, jobFile, variables, outputFile }: JobRequest): JobProcess {
  const settings = Object.entries(variables).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const output = outputFile === null ? null : openSync(outputFile, 'w');
  const child: ChildProcess = spawn(process.execPath, ['bin/millrace.mjs', 'run', jobFile, ...settings], {
    cwd: root,
    stdio: ['ignore', output ?? 'inherit', 'inherit'],
  });
  if (output !== null) closeSync(output);
  return {
    ended: new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
    }),
    signal: (signal) => {
      child.kill(signal);
    },
  };
}
