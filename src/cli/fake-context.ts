/** A world for tests of commands: streams and files in memory, the real clock, slots on the calling thread. */
import { nodePorts } from '../core/node-ports.ts';
import { createOperator } from '../operators/index.ts';
import { inlineWorkerHost, runSlot } from '../taskmanager/index.ts';
import { catalog } from './catalog.ts';
import type { CommandContext } from './command-context.ts';
import { runCommandLine } from './program.ts';

export interface FakeWorld {
  readonly files?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly standardInput?: string;
  readonly isTerminal?: boolean;
  /** Called with what raises a signal, once the command listens for one. */
  readonly onListening?: (raise: () => void) => void;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly output: string;
  readonly errors: string;
  readonly files: ReadonlyMap<string, string>;
}

/** Runs a command line in that world. */
export async function runFake(args: readonly string[], world: FakeWorld = {}): Promise<CommandResult> {
  const output: string[] = [];
  const errors: string[] = [];
  const files = new Map(Object.entries(world.files ?? {}));
  const context = fakeContext(args, world, files, output, errors);
  const exitCode = await runCommandLine(context);
  return { exitCode, output: output.join(''), errors: errors.join(''), files };
}

function fakeContext(
  args: readonly string[],
  world: FakeWorld,
  files: Map<string, string>,
  output: string[],
  errors: string[],
): CommandContext {
  const terminal = { isTerminal: world.isTerminal === true, columns: () => 100, rows: () => 30 };
  const ports: CommandContext['ports'] = {
    ...nodePorts,
    streams: {
      writeOutput(bytes) {
        output.push(Buffer.from(bytes).toString('utf8'));
        return Promise.resolve();
      },
      writeError: (text) => errors.push(text),
    },
    files: {
      ...nodePorts.files,
      readText: (path) => Promise.resolve(files.get(path) ?? missing(path)),
      stat: (path) =>
        Promise.resolve(files.has(path) ? { path, sizeBytes: files.get(path)?.length ?? 0, modifiedMs: 0, inode: 1 } : null),
      writeText(path, text) {
        files.set(path, text);
        return Promise.resolve();
      },
    },
  };
  return {
    ports,
    slotThreads: inlineWorkerHost((data) => runSlot(data, { ports, catalog, createOperator })),
    version: '1.2.3',
    exitCode: 0,
    environment: {
      variables: world.variables ?? {},
      arguments: args,
      output: terminal,
      errors: terminal,
      readStandardInput: () => Promise.resolve(world.standardInput ?? ''),
      onSignal(listener) {
        world.onListening?.(() => listener('SIGINT'));
        return () => undefined;
      },
      onOutputClosed: () => undefined,
      usage: () => ({ elapsedMs: 1, cpuMs: 1, rssBytes: 1 }),
      exitNow: (code) => {
        throw new Error(`the command ended the process with ${code}`);
      },
      exitLater: () => undefined,
    },
  };
}

function missing(path: string): never {
  throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
}
