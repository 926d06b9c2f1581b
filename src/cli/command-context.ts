import type { Ports, WorkerHost } from '../core/index.ts';
import type { UserImport } from './import-user-module.ts';
import type { Environment } from './process-environment.ts';
import type { StartedProgram } from './start-program.ts';

/** What a command is given: the world, and where to leave its exit code. */
export interface CommandContext {
  readonly ports: Ports;
  readonly environment: Environment;
  /** Starts the threads of slots. */
  readonly slotThreads: WorkerHost;
  /** Imports a module of a user by its `file:` URL. */
  readonly importModule: (url: string) => Promise<unknown>;
  /** What a module that was imported so has imported by relative paths, the module itself first, with all imports. */
  readonly modulesBehind: (url: string) => ReadonlyMap<string, readonly UserImport[]>;
  /** Runs a command line of this program in a process of its own. */
  readonly startProgram: (args: readonly string[]) => Promise<StartedProgram>;
  readonly version: string;
  /** Left by the command that ran; 0 where it leaves none. */
  exitCode: number;
}

/** Writes a result to standard output; resolves when it can take more. */
export function printResult(context: CommandContext, text: string): Promise<void> {
  return context.ports.streams.writeOutput(Buffer.from(text.endsWith('\n') ? text : `${text}\n`));
}

/** Prints one document, as `--json` promises. */
export function printJson(context: CommandContext, document: unknown): Promise<void> {
  return printResult(context, JSON.stringify(document, null, 2));
}

/** Writes a line for people to standard error. */
export function tell(context: CommandContext, line: string): void {
  context.ports.streams.writeError(`${line}\n`);
}
