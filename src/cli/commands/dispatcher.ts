import type { Command } from 'commander';

import { dispatcherProblems } from '../cluster/check-role.ts';
import { clusterOptions, dispatcherRoleOptions } from '../cluster/role-options.ts';
import { roleCommand } from '../cluster/role-command.ts';
import { resolveSettings } from '../cluster/role-settings.ts';
import type { CommandContext } from '../command-context.ts';

const TABLE = { ...clusterOptions, ...dispatcherRoleOptions };

export function dispatcherCommand(context: CommandContext): Command {
  return roleCommand(context, {
    role: 'dispatcher',
    description: 'runs a Dispatcher, which takes jobs and runs them on TaskManagers while it leads',
    table: TABLE,
    resolve: (flags, world) => resolveSettings(TABLE, flags, world),
    problems: dispatcherProblems,
    async start(settings, log, written) {
      const { startDispatcherRole } = await import('../cluster/dispatcher-role.ts');
      return startDispatcherRole(context, settings, log, written);
    },
    help: `
Of several, one leads; the others pass requests on to it and take over when it is gone, without stopping a task.
SIGTERM hands the leadership over. A second one ends the process at once.`,
  });
}
