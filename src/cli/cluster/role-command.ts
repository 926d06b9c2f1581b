import { Command, Option } from 'commander';

import type { OptionTable } from '../../core/index.ts';
import type { CommandContext } from '../command-context.ts';
import { addRoleFlags, readRoleFlags, type RoleFlags } from './role-flags.ts';
import type { OutputRing } from './output-ring.ts';
import type { RoleLog } from './role-log.ts';
import type { ClusterSettings } from './role-options.ts';
import { runRole, type RoleName, type RunningRole } from './role-process.ts';
import { settingsError, type RoleWorld } from './role-settings.ts';

export interface RoleCommand<Settings extends ClusterSettings> {
  readonly role: RoleName;
  readonly description: string;
  readonly table: OptionTable;
  readonly resolve: (flags: RoleFlags, world: RoleWorld) => Promise<Settings>;
  /** What is wrong with settings that are each right alone. */
  readonly problems: (settings: Settings) => readonly string[];
  readonly start: (settings: Settings, log: RoleLog, written: OutputRing) => Promise<RunningRole>;
  readonly help: string;
}

interface RoleOptions {
  readonly json?: true;
  readonly endsWithInput?: true;
}

/** A command that plays a role until it is told to end. */
export function roleCommand<Settings extends ClusterSettings>(
  context: CommandContext,
  role: RoleCommand<Settings>,
): Command {
  const { table } = role;
  const command = new Command(role.role).description(role.description);
  return addRoleFlags(command, table)
    .option('--json', 'prints the line that says that it is ready as JSON')
    .addOption(new Option('--ends-with-input', 'ends at once when its standard input does').hideHelp())
    .addHelpText('after', role.help + MORE_HELP)
    .action(async (options: RoleOptions) => {
      const { environment, ports } = context;
      const world = { variables: environment.variables, files: ports.files };
      const settings = await role.resolve(readRoleFlags(command, table), world);
      const problems = role.problems(settings);
      if (problems.length > 0) throw settingsError(problems);
      await runRole(context, {
        role: role.role,
        json: options.json === true,
        logFormat: settings['log.format'],
        endsWithInput: options.endsWithInput === true,
        start: (log, written) => role.start(settings, log, written),
      });
    });
}

const MORE_HELP = `

Every flag is also a variable (--rest-port is MILLRACE_REST_PORT, --slots MILLRACE_TASKMANAGER_SLOTS) and a key of
millrace.yaml (rest.port, taskmanager.slots); secrets are these alone. docs/generated/config.md lists them all.`;
