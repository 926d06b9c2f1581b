import { Argument, Command } from 'commander';

import { nearestName } from '../../core/index.ts';
import { printJson, printResult, type CommandContext } from '../command-context.ts';
import { cliErrors } from '../errors.ts';
import type { ListEntry } from '../listing.ts';
import { textTable } from '../text-table.ts';

const TOPICS = ['connectors', 'functions', 'formats'] as const;
type Topic = (typeof TOPICS)[number];

export function listCommand(context: CommandContext): Command {
  return new Command('list')
    .description('lists the connectors, functions or formats that this build has')
    .addArgument(new Argument('<what>', 'what to list').choices(TOPICS))
    .argument('[name]', 'one of them, in full')
    .option('--json', 'prints one JSON document')
    .action(async (topic: Topic, name: string | undefined, options: { readonly json?: true }) => {
      const all = await entriesOf(topic);
      const chosen = name === undefined ? all : choose(topic, all, name);
      if (options.json === true) await printJson(context, chosen.map(({ document }) => document));
      else if (name === undefined) await printResult(context, overview(chosen));
      else await printResult(context, chosen.map(({ detail }) => detail.join('\n')).join('\n\n'));
    });
}

async function entriesOf(topic: Topic): Promise<readonly ListEntry[]> {
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
function choose(topic: Topic, entries: readonly ListEntry[], name: string): readonly ListEntry[] {
  const found = entries.filter((entry) => entry.name.toLowerCase() === name.toLowerCase());
  if (found.length > 0) return found;
  const near = nearestName(name, entries.map((entry) => entry.name));
  const hint = near === null ? `: see \`millrace list ${topic}\`` : `; did you mean \`${near}\`?`;
  throw cliErrors.create('MR-CLI-USAGE', { problem: `there is no \`${name}\` among the ${topic}${hint}` });
}

function overview(entries: readonly ListEntry[]): string {
  return textTable(entries.map(({ name, summary }) => [name, ...summary])).join('\n');
}
