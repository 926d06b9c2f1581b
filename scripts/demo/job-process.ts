import { spawn, type ChildProcess } from 'node:child_process';

/** `millrace run`, as a user would start it, in a process of its own. */
export interface JobProcess {
  /** Its exit code; 128 + n where signal n ended it. */
  readonly ended: Promise<number>;
  signal(signal: NodeJS.Signals): void;
}

export function startJob(root: string, jobFile: string, variables: Readonly<Record<string, string>>): JobProcess {
  const settings = Object.entries(variables).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const child: ChildProcess = spawn(process.execPath, ['bin/millrace.mjs', 'run', jobFile, ...settings], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
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
