/** The entries that `millrace list` prints: connectors, formats and functions, for people and as documents. */
import {
  formatType,
  type ConnectorCatalog,
  type DataType,
  type FormatDefinition,
  type LookupConnector,
  type OptionTable,
  type SinkConnector,
  type SourceConnector,
} from '../core/index.ts';
import { formatPattern, functionRows, type FunctionRow, type Overload } from '../expr/index.ts';
import { optionDocuments, optionLines } from './option-lines.ts';

export interface ListEntry {
  readonly name: string;
  /** The cells of the overview behind the name. */
  readonly summary: readonly string[];
  readonly detail: readonly string[];
  readonly document: Readonly<Record<string, unknown>>;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => (line === '' ? '' : `  ${line}`));

function optionSection(title: string, table: OptionTable): string[] {
  return Object.keys(table).length === 0 ? [] : ['', `${title}:`, ...indent(optionLines(table))];
}

export function connectorEntries(catalog: ConnectorCatalog): readonly ListEntry[] {
  const sources = [...catalog.sources.values()].sort(byName).map(connectorEntry);
  const sinks = [...catalog.sinks.values()].sort(byName).map(connectorEntry);
  return [...sources, ...sinks, ...[...(catalog.lookups?.values() ?? [])].sort(byName).map(connectorEntry)];
}

function connectorEntry(connector: SourceConnector | SinkConnector | LookupConnector): ListEntry {
  const { name, kind, doc, options, formatUse, example } = connector;
  const metadata: Readonly<Record<string, DataType>> = kind === 'source' ? connector.metadata : {};
  const metadataTypes = Object.entries(metadata).map(([key, type]) => ({ key, type: formatType(type) }));
  const metadataNames = metadataTypes.map(({ key, type }) => `${key} (${type})`);
  return {
    name,
    summary: [kind, doc],
    detail: [
      `${kind} ${name}: ${doc}`,
      ...optionSection('options, under `with`', options),
      ...(formatUse === 'required' ? ['', 'takes a `format` beside them: `millrace list formats`'] : []),
      ...(metadataNames.length === 0 ? [] : ['', 'metadata:', ...indent(metadataNames)]),
      '',
      'example:',
      ...indent(['with:', ...indent(example.trimEnd().split('\n'))]),
    ],
    document: {
      name,
      kind,
      doc,
      format: formatUse,
      options: optionDocuments(options),
      ...(kind === 'source' ? { metadata: metadataTypes } : {}),
      example,
    },
  };
}

export function formatEntries(catalog: ConnectorCatalog): readonly ListEntry[] {
  return [...catalog.formats.values()].sort(byName).map(formatEntry);
}

function formatEntry({ name, doc, options, canDecode, canEncode }: FormatDefinition): ListEntry {
  const use = [...(canDecode ? ['reads'] : []), ...(canEncode ? ['writes'] : [])].join(', ');
  return {
    name,
    summary: [use, doc],
    detail: [`format ${name} (${use}): ${doc}`, ...optionSection('options, under `with`', options)],
    document: { name, doc, canDecode, canEncode, options: optionDocuments(options) },
  };
}

export function functionEntries(): readonly ListEntry[] {
  return functionRows.map((row) => {
    const signatures = row.overloads.map((each) => signatureOf(row, each));
    const examples = row.examples.map(({ sql, result }) => `${sql}  →  ${result}`);
    return {
      name: row.name,
      summary: [row.category, row.doc],
      detail: [
        `${row.syntax ?? row.name}: ${row.doc}`,
        '',
        ...indent(signatures),
        ...(row.aliases.length === 0 ? [] : ['', `also: ${row.aliases.join(', ')}`]),
        ...(examples.length === 0 ? [] : ['', 'examples:', ...indent(examples)]),
      ],
      document: {
        name: row.name,
        category: row.category,
        syntax: row.syntax,
        doc: row.doc,
        aliases: row.aliases,
        deterministic: row.deterministic,
        signatures,
        examples: row.examples,
      },
    };
  });
}

/** `SUBSTRING(string, int) → string`; an operator's form is its syntax. */
export function signatureOf(row: FunctionRow, { params, variadic, returnsText }: Overload): string {
  const types = params.map(formatPattern);
  const list = variadic ? [...types.slice(0, -1), `${types.at(-1) ?? ''}…`] : types;
  return `${row.syntax === null ? row.name : ''}(${list.join(', ')}) → ${returnsText}`;
}
