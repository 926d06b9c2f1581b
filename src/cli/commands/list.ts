import { Argument, Command } from 'commander';

import { nearestName } from '../../core/index.ts';
import { addClusterOptions, withCluster, type ClusterFlags } from '../client/cluster-options.ts';
import { printJson, printResult, type CommandContext } from '../command-context.ts';
import { cliErrors } from '../errors.ts';
import type { ListEntry } from '../listing.ts';
import { textTable } from '../text-table.ts';

type BuildTopic = 'connectors' | 'functions' | 'formats';
const CLUSTER_TOPICS = ['jobs', 'taskmanagers'] as const;
type ClusterTopic = (typeof CLUSTER_TOPICS)[number];
type Topic = BuildTopic | ClusterTopic;

const TOPICS: Readonly<Record<Topic, string>> = {
  connectors: 'sources, sinks and lookups of this build, with their options',
  functions: 'what SQL expressions may call',
  formats: 'how records are written, with their options',
  jobs: 'jobs of a cluster, newest first',
  taskmanagers: 'TaskManagers of a cluster and their slots',
};

interface ListOptions extends ClusterFlags {
  readonly json?: true;
}

export function listCommand(context: CommandContext): Command {
  const command = new Command('list')
    .description('lists connectors, functions or formats of this build, or jobs or TaskManagers of a cluster')
    .addArgument(
      new Argument('[what]', 'what to list; without it, what there is to list').choices(Object.keys(TOPICS)),
    )
    .argument('[name]', 'one of them, in full')
    .option('--json', 'prints one JSON document');
  return addClusterOptions(command)
    .action(async (topic: Topic | undefined, name: string | undefined, options: ListOptions) => {
      if (topic === undefined) {
        if (options.json === true) await printJson(context, Object.keys(TOPICS));
        else await printResult(context, textTable(Object.entries(TOPICS)).join('\n'));
        return;
      }
      if (isOfCluster(topic)) {
        await listCluster(context, topic, name, options);
        return;
      }
      const all = await entriesOf(topic);
      const chosen = name === undefined ? all : choose(topic, all, name);
      if (options.json === true) await printJson(context, chosen.map(({ document }) => document));
      else if (name === undefined) await printResult(context, overview(chosen));
      else await printResult(context, chosen.map(({ detail }) => detail.join('\n')).join('\n\n'));
    });
}

function isOfCluster(topic: Topic): topic is ClusterTopic {
  return CLUSTER_TOPICS.some((each) => each === topic);
}

async function listCluster(
  context: CommandContext,
  topic: ClusterTopic,
  name: string | undefined,
  options: ListOptions,
): Promise<void> {
  const { clusterLists } = await import('../client/cluster-lists.ts');
  const read = clusterLists[topic];
  const { documents, rows } = await withCluster(context, options, (client) => read(client, name ?? null));
  if (options.json === true) await printJson(context, documents);
  else await printResult(context, textTable(rows).join('\n'));
}

async function entriesOf(topic: BuildTopic): Promise<readonly ListEntry[]> {
  const [{ connectorEntries, formatEntries, functionEntries }, { catalog }] = await Promise.all([
    import('../listing.ts'),
    import('../catalog.ts'),
  ]);
  switch (topic) {
    case 'connectors':
      return connectorEntries(catalog);
    case 'formats':
      return formatEntries(catalog);
    case 'functions':
      return functionEntries();
  }
}

/** A name may be a source and a sink. */
function choose(topic: BuildTopic, entries: readonly ListEntry[], name: string): readonly ListEntry[] {
  const found = entries.filter((entry) => entry.name.toLowerCase() === name.toLowerCase());
  if (found.length > 0) return found;
  const near = nearestName(name, entries.map((entry) => entry.name));
  const hint = near === null ? `: see \`millrace list ${topic}\`` : `; did you mean \`${near}\`?`;
  throw cliErrors.create('MR-CLI-USAGE', { problem: `there is no \`${name}\` among the ${topic}${hint}` });
}

function overview(entries: readonly ListEntry[]): string {
  return textTable(entries.map(({ name, summary }) => [name, ...summary])).join('\n');
}
