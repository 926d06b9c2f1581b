import { catalog } from '../../src/cli/index.ts';
import {
  formatType,
  type FormatDefinition,
  type LookupConnector,
  type SinkConnector,
  type SourceConnector,
} from '../../src/core/index.ts';
import { code, page, sentence, table } from './markdown.ts';
import { optionTable } from './option-table.ts';

export function connectorsPage(): string {
  const introduction =
    `Where rows come from and where they go. Options stand under ${code('with')}; those of the format stand beside ` +
    `the connector's. ${code('millrace list connectors NAME')} prints one of them.`;
  return page('Connectors and formats', introduction, [
    '## Sources',
    ...[...catalog.sources.values()].map(connectorSection),
    '## Sinks',
    ...[...catalog.sinks.values()].map(connectorSection),
    '## Lookups',
    ...[...catalog.lookups.values()].map(connectorSection),
    '## Formats',
    ...[...catalog.formats.values()].map(formatSection),
  ]);
}

type Connector = SourceConnector | SinkConnector | LookupConnector;

function connectorSection(connector: Connector): string {
  const parts = [`### ${connector.kind} ${connector.name}`, sentence(connector.doc)];
  parts.push(exampleOf(connector));
  if (Object.keys(connector.options).length > 0) parts.push(optionTable(connector.options));
  if (connector.formatUse === 'required') parts.push(`Takes a ${code('format')} with its options.`);
  if (connector.kind === 'source') parts.push(...sourceParts(connector));
  return parts.join('\n\n');
}

const EXAMPLE_IDS = { source: 'in', sink: 'out', lookup: 'found' } as const;

function exampleOf({ kind, name, example }: Connector): string {
  const step = [`- id: ${EXAMPLE_IDS[kind]}`, `  ${kind}: ${name}`];
  const lines = example.trim() === '' ? [] : example.trimEnd().split('\n').map((line) => `    ${line}`);
  return ['```yaml', ...step, ...(lines.length === 0 ? [] : ['  with:']), ...lines, '```'].join('\n');
}

function sourceParts(source: SourceConnector): string[] {
  const metadata = Object.entries(source.metadata).map(([name, type]) => [code(name), code(formatType(type))]);
  return [
    ...(metadata.length === 0 ? [] : ['Metadata (`metadata: {FIELD: NAME}`):', table(['name', 'type'], metadata)]),
    ...(source.deadLetters ? ['`errors: {to: …}` sends records that fail to a dead-letter target.'] : []),
  ];
}

function formatSection(format: FormatDefinition): string {
  const use = [...(format.canDecode ? ['reads'] : []), ...(format.canEncode ? ['writes'] : [])].join(' and ');
  const parts = [`### format ${format.name}`, `${sentence(format.doc)} It ${use}.`];
  if (Object.keys(format.options).length > 0) parts.push(optionTable(format.options));
  return parts.join('\n\n');
}
