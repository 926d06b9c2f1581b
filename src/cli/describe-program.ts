import type { Command } from 'commander';

export interface CommandDescription {
  readonly name: string;
  /** `run [options] <file>`. */
  readonly usage: string;
  readonly doc: string;
  readonly args: readonly { readonly name: string; readonly doc: string; readonly choices: readonly string[] }[];
  readonly options: readonly { readonly flags: string; readonly doc: string }[];
}

/** The commands of a program as plain data. */
export function describeCommands(program: Command): readonly CommandDescription[] {
  return program.commands.map((command) => ({
    name: command.name(),
    usage: `${command.name()} ${command.usage()}`,
    doc: command.description(),
    args: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      doc: argument.description,
      choices: argument.argChoices ?? [],
    })),
    options: command.options.map(({ flags, description }) => ({ flags, doc: description })),
  }));
}
