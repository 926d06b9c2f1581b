import { Option, type Command } from 'commander';

import type { OptionRow, OptionTable } from '../../core/index.ts';

/** What a command line says about the settings of a role. */
export interface RoleFlags {
  /** False where no file is to be read, not even the one that has the usual name. */
  readonly config: string | false | undefined;
  /** By the key of the setting, as it was typed. */
  readonly values: ReadonlyMap<string, string | boolean>;
}

/** Where the clients have the same, it has the same name. */
const SHORT_FLAGS: Readonly<Record<string, string>> = { 'ha.zookeeper.connect': '--zookeeper' };

/** `rest.port` → `--rest-port`; the name of the role stands on the command line already. */
export function flagOf(key: string): string {
  return SHORT_FLAGS[key] ?? `--${key.replace(/^taskmanager\./, '').replaceAll('.', '-')}`;
}

/** A flag for each setting but secrets, which whoever lists processes would see. */
export function addRoleFlags(command: Command, table: OptionTable): Command {
  command
    .option('--config <file>', 'reads settings from this YAML file (millrace.yaml, where it is there)')
    .addOption(new Option('--no-config', 'reads settings from no file').hideHelp());
  for (const [key, row] of Object.entries(table)) {
    if (row.secret !== true) command.addOption(new Option(flagText(key, row), describeSetting(row)));
  }
  return command;
}

function flagText(key: string, row: OptionRow): string {
  return row.kind === 'boolean' ? flagOf(key) : `${flagOf(key)} <${row.values?.join('|') ?? row.kind}>`;
}

function describeSetting(row: OptionRow): string {
  const { doc, default: value } = row;
  return typeof value === 'string' || typeof value === 'number' ? `${doc} (${value})` : doc;
}

/** What was typed, by the keys of the table. */
export function readRoleFlags(command: Command, table: OptionTable): RoleFlags {
  const typed = command.opts<Record<string, string | boolean | undefined>>();
  const values = new Map<string, string | boolean>();
  for (const key of Object.keys(table)) {
    const option = command.options.find((each) => each.long === flagOf(key));
    const value = option === undefined ? undefined : typed[option.attributeName()];
    if (value !== undefined) values.set(key, value);
  }
  const { config } = typed;
  return { config: typeof config === 'string' || config === false ? config : undefined, values };
}
