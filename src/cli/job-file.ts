import { InvalidArgumentError, type Command } from 'commander';

import type { CommandContext } from './command-context.ts';
import { cliErrors } from './errors.ts';

/** The options of every command that reads a job file. */
export interface JobFileOptions {
  readonly set: Readonly<Record<string, string>>;
}

/** Standard input, where a file's name is expected. */
const STANDARD_INPUT = '-';

export function addJobFileOptions(command: Command): Command {
  return command.option(
    '--set <NAME=value>',
    'sets a variable of the job file; wins over the environment (repeatable)',
    collectVariable,
    {},
  );
}

function collectVariable(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const equals = text.indexOf('=');
  const name = text.slice(0, equals);
  if (equals < 0 || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new InvalidArgumentError('Expected NAME=value, NAME of letters, digits and _.');
  }
  return { ...before, [name]: text.slice(equals + 1) };
}

/** What `${NAME}` stands for: `--set` first, then the environment. */
export function variablesOf(context: CommandContext, options: JobFileOptions): (name: string) => string | undefined {
  const { variables } = context.environment;
  return (name) => (Object.hasOwn(options.set, name) ? options.set[name] : variables[name]);
}

export async function readJobFile(context: CommandContext, path: string): Promise<string> {
  try {
    if (path === STANDARD_INPUT) return await context.environment.readStandardInput();
    return await context.ports.files.readText(path);
  } catch (error) {
    throw cliErrors.create('MR-CLI-UNREADABLE-FILE', { path, reason: reasonOf(error) }, error);
  }
}

/** What a file system's error means to whoever typed the name. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file or folder';
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/** The name of a job file in messages. */
export function displayName(path: string): string {
  return path === STANDARD_INPUT ? '<stdin>' : path;
}
