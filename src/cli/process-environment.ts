/** The process that the command runs in: the only home of its arguments, environment, terminal and signals. */
import { flushCompileCache } from 'node:module';

export interface Terminal {
  readonly isTerminal: boolean;
  /** Of the window; a guess where there is none. */
  columns(): number;
  rows(): number;
}

export interface ResourceUsage {
  /** Since the process began. */
  readonly elapsedMs: number;
  /** User and system time of all threads. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

export interface Environment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Without the interpreter and the script. */
  readonly arguments: readonly string[];
  /** The file that the process began with. */
  readonly script: string;
  readonly processId: number;
  readonly output: Terminal;
  readonly errors: Terminal;
  readStandardInput(): Promise<string>;
  /** Calls back at every SIGINT, SIGTERM and SIGHUP, which then end nothing by themselves; returns what undoes that. */
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void;
  /** Calls back once nobody reads standard output any more. */
  onOutputClosed(listener: () => void): void;
  /** Calls back once standard input has ended, whatever was written to it. */
  onInputEnded(listener: () => void): void;
  /** Calls back with all that is written from now on, by whatever writes it on any thread. */
  onWritten(listener: (stream: 'output' | 'errors', bytes: Uint8Array) => void): void;
  usage(): ResourceUsage;
  /** Keeps on the disk what was compiled so far, as the end of the process does where nothing kills it. */
  keepCompiledCode(): void;
  /** Ends the process at once. */
  exitNow(code: number): void;
  /** Ends the process as a power cut would: nothing runs any more, on no thread. */
  killNow(): void;
  /** Ends the process with this code once nothing is left to do. */
  exitLater(code: number): void;
}

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const DEFAULT_COLUMNS = 100;
const DEFAULT_ROWS = 40;
const MICROS_PER_MILLI = 1000;

function terminal(stream: NodeJS.WriteStream): Terminal {
  // Without a terminal Node leaves these out, whatever its types say.
  const facts: { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number } = stream;
  return {
    isTerminal: facts.isTTY === true,
    columns: () => facts.columns ?? DEFAULT_COLUMNS,
    rows: () => facts.rows ?? DEFAULT_ROWS,
  };
}

/** What threads write goes through the streams of the process, too. */
function tee(stream: NodeJS.WriteStream, listener: (bytes: Uint8Array) => void): void {
  const write = stream.write.bind(stream) as (...args: readonly unknown[]) => boolean;
  stream.write = (...args: readonly unknown[]): boolean => {
    const [chunk, encoding] = args;
    if (typeof chunk === 'string') listener(Buffer.from(chunk, isEncoding(encoding) ? encoding : 'utf8'));
    else if (chunk instanceof Uint8Array) listener(chunk);
    return write(...args);
  };
}

function isEncoding(value: unknown): value is BufferEncoding {
  return typeof value === 'string' && Buffer.isEncoding(value);
}

export function processEnvironment(): Environment {
  return {
    variables: process.env,
    arguments: process.argv.slice(2),
    script: process.argv[1] ?? '',
    processId: process.pid,
    output: terminal(process.stdout),
    errors: terminal(process.stderr),
    async readStandardInput() {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    },
    onSignal(listener) {
      for (const signal of SIGNALS) process.on(signal, listener);
      return () => {
        for (const signal of SIGNALS) process.off(signal, listener);
      };
    },
    onOutputClosed(listener) {
      process.stdout.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') throw error;
        listener();
      });
    },
    onInputEnded(listener) {
      process.stdin.once('close', listener).resume();
    },
    onWritten(listener) {
      tee(process.stdout, (bytes) => listener('output', bytes));
      tee(process.stderr, (bytes) => listener('errors', bytes));
    },
    usage() {
      const { user, system } = process.cpuUsage();
      const cpuMs = (user + system) / MICROS_PER_MILLI;
      return { elapsedMs: process.uptime() * 1000, cpuMs, rssBytes: process.memoryUsage.rss() };
    },
    keepCompiledCode: () => flushCompileCache(),
    exitNow: (code) => process.exit(code),
    killNow: () => {
      process.kill(process.pid, 'SIGKILL');
    },
    exitLater: (code) => {
      process.exitCode = code;
    },
  };
}
