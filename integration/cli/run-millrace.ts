import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface Ended {
  /** 128 + n where signal n ended it. */
  readonly exitCode: number;
  readonly output: string;
  readonly errors: string;
}

export interface RunOptions {
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Written to standard input, which is then closed. */
  readonly input?: string;
  readonly deadlineMs?: number;
}

export interface RunningCommand {
  readonly ended: Promise<Ended>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves once standard output or standard error matches; rejects when the process has ended before. */
  saying(pattern: RegExp): Promise<void>;
  /** As saying(), on standard output alone; resolves to what matches. */
  line(pattern: RegExp): Promise<string>;
}

const DEADLINE_MS = 60_000;
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** `millrace ARGS…` of this checkout, in a process of its own. */
export function startMillrace(args: readonly string[], options: RunOptions = {}): RunningCommand {
  return startCommand(process.execPath, [join(projectRoot, 'bin', 'millrace.mjs'), ...args], options);
}

export function runMillrace(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return startMillrace(args, options).ended;
}

export function startCommand(command: string, args: readonly string[], options: RunOptions = {}): RunningCommand {
  const child = spawn(command, args, {
    cwd: options.folder ?? projectRoot,
    env: { ...process.env, ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  const watchers = new Set<() => void>();
  const collect = (stream: NodeJS.ReadableStream, take: (text: string) => void): void => {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      take(text);
      for (const watch of watchers) watch();
    });
  };
  collect(child.stdout, (text) => (output += text));
  collect(child.stderr, (text) => (errors += text));
  // The command may have ended without reading it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const deadline = setTimeout(() => child.kill('SIGKILL'), options.deadlineMs ?? DEADLINE_MS);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(deadline);
      resolve({ exitCode: code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0), output, errors });
    });
  });
  /** Resolves to what `find` gives once that is something. */
  const found = <T>(pattern: RegExp, find: () => T | null): Promise<T> =>
    new Promise((resolve, reject) => {
      const watch = (): void => {
        const result = find();
        if (result === null) return;
        watchers.delete(watch);
        resolve(result);
      };
      watchers.add(watch);
      void ended.then(() => reject(new Error(`it ended without ${String(pattern)}:\n${output}\n${errors}`)));
      watch();
    });
  return {
    ended,
    signal: (signal) => {
      child.kill(signal);
    },
    saying: async (pattern) => {
      await found(pattern, () => (pattern.test(output) || pattern.test(errors) ? true : null));
    },
    line: (pattern) => found(pattern, () => pattern.exec(output)?.[0] ?? null),
  };
}

/** The lines of a command's output, each as JSON. */
export function jsonLines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}
