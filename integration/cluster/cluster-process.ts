import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { logTail } from '../../scripts/services/index.ts';
import { projectRoot } from '../cli/run-millrace.ts';

/** What a role says once it is ready. */
export interface ReadyLine {
  readonly role: 'dispatcher' | 'taskmanager';
  readonly pid: number;
  readonly id: string;
  readonly rpcAddress: string;
  readonly restUrl?: string;
  readonly slots?: number;
}

const LOG_LINES = 40;
const KILLED = 128;

/** One `millrace` process of a cluster, with its log in a file. It ends with this process, however that ends. */
export class ClusterProcess {
  readonly name: string;
  readonly logFile: string;
  /** Rejects where the process ends before it is ready. */
  readonly ready: Promise<ReadyLine>;
  /** The exit code; at least 128 where a signal ended it. */
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;
  #isAlive = true;
  #readyLine: ReadyLine | null = null;

  /** `environment`: more variables than those of this process. */
  constructor(
    name: string,
    args: readonly string[],
    folder: string,
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.name = name;
    this.logFile = join(folder, `${name}.log`);
    const command = [join(projectRoot, 'bin', 'millrace.mjs'), ...args, '--json', '--ends-with-input'];
    const env = { ...process.env, ...environment };
    const child = spawn(process.execPath, command, { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    const log = createWriteStream(this.logFile, { flags: 'a' });
    child.stderr.pipe(log);
    // It may end at any time; what it is told then is lost.
    child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => {
        this.#isAlive = false;
        resolve(code ?? KILLED);
      });
    });
    this.ready = new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line) as ReadyLine));
      const failed = (): void => reject(new Error(`${name} ended before it was ready\n${this.logTail()}`));
      this.ended.then(failed, reject);
    });
    this.ready.then(
      (line) => (this.#readyLine = line),
      () => undefined,
    );
  }

  /** Null until it is ready. */
  get readyLine(): ReadyLine | null {
    return this.#readyLine;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#isAlive) this.#child.kill(signal);
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  logTail(): string {
    return logTail(this.logFile, LOG_LINES);
  }
}
