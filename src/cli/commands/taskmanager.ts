import type { Command } from 'commander';

import { taskManagerProblems } from '../cluster/check-role.ts';
import { clusterOptions, taskManagerRoleOptions } from '../cluster/role-options.ts';
import { roleCommand } from '../cluster/role-command.ts';
import { resolveSettings } from '../cluster/role-settings.ts';
import type { CommandContext } from '../command-context.ts';

const TABLE = { ...clusterOptions, ...taskManagerRoleOptions };

export function taskmanagerCommand(context: CommandContext): Command {
  return roleCommand(context, {
    role: 'taskmanager',
    description: 'runs a TaskManager: slots in which the tasks of jobs run',
    table: TABLE,
    resolve: (flags, world) => resolveSettings(TABLE, flags, world),
    problems: taskManagerProblems,
    async start(settings, log, written) {
      const { startTaskManagerRole } = await import('../cluster/taskmanager-role.ts');
      return startTaskManagerRole(context, settings, log, written);
    },
    help: `
It finds the leading Dispatcher through ZooKeeper, or the folder that it shares with it, and goes on when another leads.
SIGTERM drains it: its tasks are moved elsewhere before it ends. A second one ends it at once.`,
  });
}
