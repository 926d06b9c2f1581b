import { optionTables } from '../../src/cli/index.ts';
import { page } from './markdown.ts';
import { optionTable } from './option-table.ts';

export function configurationPage(): string {
  const introduction =
    'The options that are not of a connector or format (those are [here](connectors.md)). Durations are written ' +
    '`500ms`, `10s`, `5m`, `1h`, `1d`; sizes `512KiB`, `64MiB`, `1GB`.';
  const sections = optionTables.flatMap(({ title, doc, options }) => [`## ${title}`, doc, optionTable(options)]);
  return page('Configuration', introduction, sections);
}
