import { Command, InvalidArgumentError } from 'commander';

import type { CommandContext } from '../command-context.ts';

interface ClusterOptions {
  readonly taskmanagers: number;
  readonly slots: number;
  readonly dispatchers: number;
  readonly restPort: number;
  readonly dataDir: string;
  readonly zookeeper?: string;
  readonly json?: true;
}

const MOST_PROCESSES = 64;
const MOST_SLOTS = 1024;
const LAST_PORT = 65_535;

export function clusterCommand(context: CommandContext): Command {
  return new Command('cluster')
    .description('runs a cluster of several processes on this machine, for development')
    .option('--taskmanagers <N>', 'how many TaskManagers (1)', wholeNumber(1, MOST_PROCESSES), 1)
    .option('--slots <N>', 'how many slots each of them has (2)', wholeNumber(1, MOST_SLOTS), 2)
    .option('--dispatchers <N>', 'how many Dispatchers, of which one leads (1)', wholeNumber(1, MOST_PROCESSES), 1)
    .option('--rest-port <port>', 'of the first Dispatcher; 0 for any (8081)', wholeNumber(0, LAST_PORT), 8081)
    .option('--data-dir <folder>', 'where the cluster keeps jobs and checkpoints (.millrace/cluster)', DATA_FOLDER)
    .option('--zookeeper <hosts>', 'elects the leader in ZooKeeper (HOST:PORT,…/FOLDER) instead of that folder')
    .option('--json', 'prints the processes and addresses as one line of JSON, once all are ready')
    .addHelpText('after', MORE_HELP)
    .action(async (options: ClusterOptions) => {
      const { runCluster } = await import('../cluster/run-cluster.ts');
      const { taskmanagers: taskManagers, dataDir: dataFolder, zookeeper = null, json = false } = options;
      context.exitCode = await runCluster(context, { ...options, taskManagers, dataFolder, zookeeper, json });
    });
}

const DATA_FOLDER = '.millrace/cluster';

const MORE_HELP = `
Jobs go on where they were when the cluster is started again with the same folder. A process that ends is not started
again, so that you can see what the others make of it; \`millrace taskmanager\` adds one.
The first Ctrl-C ends all processes in good order, the second at once.`;

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}
