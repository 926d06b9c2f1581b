import { nearestName, parseOptions } from '../../core/index.ts';
import type {
  ConnectorCatalog,
  FormatDefinition,
  OptionProblem,
  OptionRow,
  OptionTable,
  OptionValue,
  Options,
  SinkConnector,
  SourceConnector,
} from '../../core/index.ts';
import { entryOf, isEmpty } from '../spec/document.ts';
import type { DocumentNode, MapNode } from '../spec/document.ts';
import type { WithBlock } from '../spec/job-spec.ts';
import type { PlacedText } from '../spec/placed-text.ts';
import type { ProblemList } from '../spec/problem.ts';
import type { TextRange } from '../spec/source-text.ts';

/** The parsed options of a connector and of its format, which stand in one `with` block. */
export interface CheckedWith {
  readonly options: Options;
  readonly format: { readonly name: string; readonly options: Options } | null;
  readonly definition: FormatDefinition | null;
}

type Direction = 'decode' | 'encode';

/** Null where something is wrong; the problems say what. */
export function checkWith(
  block: WithBlock,
  connector: SourceConnector | SinkConnector,
  catalog: ConnectorCatalog,
  problems: ProblemList,
): CheckedWith | null {
  const before = problems.count;
  const direction = connector.kind === 'source' ? 'decode' : 'encode';
  const definition = findFormat(block, connector, direction, catalog, problems);
  const table = tableOf(connector, definition, catalog);
  const { raw, unknown } = rawOptions(block.node, table, problems);
  const { values, problems: found } = parseOptions(table, raw);
  const meant = new Set(found.map((problem) => (problem.what === 'unknown' ? problem.suggestion : null)));
  for (const problem of found) {
    const key = String(problem.path[0]);
    // A misspelt required option is one mistake, and so is one whose value is not known.
    const isFollowing = problem.what === 'missing' && (meant.has(key) || block.node?.damaged === true);
    if (!isFollowing && !unknown.has(key)) reportOption(problem, block, table, problems);
  }
  if (problems.count > before || unknown.size > 0 || block.node?.damaged === true) return null;
  const own = pick(values, connector.options);
  if (definition === null) return { options: own, format: null, definition: null };
  return { options: own, format: { name: definition.name, options: pick(values, definition.options) }, definition };
}

/** Reports what a connector or format found although every option alone is right. Paths are relative to `with`. */
export function reportChecks(
  found: readonly OptionProblem[],
  block: WithBlock,
  table: OptionTable,
  problems: ProblemList,
): void {
  for (const problem of found) reportOption(problem, block, table, problems);
}

const FORMAT_ROW: OptionRow = {
  kind: 'string',
  required: true,
  doc: 'how records are encoded, such as json',
  aliases: ['value.format', 'value.converter', 'value-format', 'key.format', 'encoding', 'codec'],
};

function findFormat(
  block: WithBlock,
  connector: SourceConnector | SinkConnector,
  direction: Direction,
  catalog: ConnectorCatalog,
  problems: ProblemList,
): FormatDefinition | null {
  if (connector.formatUse === 'none' || block.node === null) return null;
  const entry = entryOf(block.node, 'format');
  if (entry === undefined || entry.value.kind !== 'scalar' || isEmpty(entry.value)) return null;
  const { text } = entry.value;
  if (text.isIncomplete) return null;
  const definition = catalog.formats.get(text.text);
  const usable = [...catalog.formats.values()].filter((format) =>
    direction === 'decode' ? format.canDecode : format.canEncode,
  );
  const names = usable.map((format) => format.name);
  const expected = `one of ${names.join(', ')}`;
  if (definition === undefined) {
    const suggestion = nearestName(text.text, names);
    const name = text.hideVariables(text.text);
    problems.add('MR-JOB-UNKNOWN-FORMAT', text.range, { name }, { expected, suggestion });
    return null;
  }
  if (!usable.includes(definition)) {
    const problem = `the format \`${definition.name}\` cannot ${direction === 'decode' ? 'read' : 'write'} records`;
    problems.add('MR-JOB-FORMAT', text.range, { problem }, { expected });
    return null;
  }
  return definition;
}

/** The connector's rows, `format`, and the format's; of every format where the wanted one is not known. */
export function tableOf(
  connector: SourceConnector | SinkConnector,
  definition: FormatDefinition | null,
  catalog: ConnectorCatalog,
): OptionTable {
  if (connector.formatUse === 'none') return connector.options;
  const rows: Record<string, OptionRow> = {};
  const definitions = definition === null ? [...catalog.formats.values()] : [definition];
  for (const { options } of definitions) {
    for (const [key, row] of Object.entries(options)) {
      rows[key] = definition === null ? { ...row, required: false } : row;
    }
  }
  // In the order in which messages list them; where both have a row, the connector's counts.
  return { ...connector.options, format: FORMAT_ROW, ...rows, ...connector.options };
}

interface RawOptions {
  readonly raw: Readonly<Record<string, unknown>>;
  /** Options that were given, but whose value is not known or has a problem already. */
  readonly unknown: ReadonlySet<string>;
}

function rawOptions(node: MapNode | null, table: OptionTable, problems: ProblemList): RawOptions {
  const raw = Object.create(null) as Record<string, unknown>;
  const unknown = new Set<string>();
  for (const { key, keyRange, value } of node?.entries ?? []) {
    const row = Object.hasOwn(table, key) ? table[key] : undefined;
    if (row !== undefined && isEmpty(value)) {
      const problem = `\`${key}\` has no value`;
      problems.add('MR-JOB-BAD-OPTION', keyRange, { problem }, { expected: expectedOf(row) });
      unknown.add(key);
    } else if (isIncomplete(value)) {
      unknown.add(key);
    } else {
      raw[key] = row === undefined ? '' : rawValue(value, row);
    }
  }
  return { raw, unknown };
}

/** Numbers are given as the file spells them where text is wanted: a topic named 007 keeps its zeros. */
function rawValue(node: DocumentNode, row: OptionRow): unknown {
  const asText = row.kind !== 'any' && row.kind !== 'integer' && row.kind !== 'number' && row.kind !== 'boolean';
  return plain(node, asText);
}

function plain(node: DocumentNode, asText: boolean): OptionValue {
  switch (node.kind) {
    case 'scalar':
      return asText && node.value !== null ? node.text.text : node.value;
    case 'list':
      return node.items.map((item) => plain(item, asText));
    case 'map':
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value, asText)]));
  }
}

function isIncomplete(node: DocumentNode): boolean {
  switch (node.kind) {
    case 'scalar':
      return node.text.isIncomplete;
    case 'list':
      return node.items.some(isIncomplete);
    case 'map':
      return node.entries.some(({ value }) => isIncomplete(value));
  }
}

const CODES = {
  unknown: 'MR-JOB-UNKNOWN-OPTION',
  missing: 'MR-JOB-MISSING-OPTION',
  invalid: 'MR-JOB-BAD-OPTION',
} as const;

function reportOption(problem: OptionProblem, block: WithBlock, table: OptionTable, problems: ProblemList): void {
  const key = String(problem.path[0] ?? '');
  const row = Object.hasOwn(table, key) ? table[key] : undefined;
  const range = rangeOf(problem, block);
  let message = problem.message;
  if (block.node !== null) {
    for (const [option, text] of textsOf(block.node)) {
      message = text.hideVariables(message);
      const isSecret = Object.hasOwn(table, option) && table[option]?.secret === true;
      if (isSecret && text.text.length > 0) message = message.replaceAll(text.text, '***');
    }
  }
  const names = Object.keys(table);
  const expected =
    problem.what === 'unknown' ? (names.length === 0 ? 'no options' : `one of ${names.join(', ')}`) : expectedOf(row);
  problems.add(CODES[problem.what], range, { problem: message }, { expected, suggestion: problem.suggestion });
}

const KINDS: Readonly<Record<OptionRow['kind'], string | null>> = {
  string: 'a text',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  duration: 'a duration such as 500ms, 10s, 5m, 1h or 1d',
  size: 'a size such as 512KiB, 64MiB or 1GB',
  enum: 'one of the known words',
  list: 'a list',
  map: 'a mapping',
  any: null,
};

function expectedOf(row: OptionRow | undefined): string | null {
  if (row === undefined) return null;
  return row.values === undefined ? KINDS[row.kind] : `one of ${row.values.join(', ')}`;
}

function rangeOf(problem: OptionProblem, block: WithBlock): TextRange {
  let node: DocumentNode | null = block.node;
  let keyRange: TextRange = block.range;
  for (const part of problem.path) {
    if (node?.kind === 'map') {
      const entry = entryOf(node, String(part));
      if (entry === undefined) return keyRange;
      keyRange = entry.keyRange;
      node = entry.value;
    } else if (node?.kind === 'list') {
      const item: DocumentNode | undefined = node.items[Number(part)];
      if (item === undefined) break;
      keyRange = item.range;
      node = item;
    }
  }
  if (problem.what !== 'invalid' || node === null || problem.path.length === 0) return keyRange;
  return node.range;
}

function textsOf(map: MapNode): readonly (readonly [string, PlacedText])[] {
  const texts: (readonly [string, PlacedText])[] = [];
  const visit = (option: string, node: DocumentNode): void => {
    if (node.kind === 'scalar') texts.push([option, node.text]);
    else if (node.kind === 'list') for (const item of node.items) visit(option, item);
    else for (const { value } of node.entries) visit(option, value);
  };
  for (const { key, value } of map.entries) visit(key, value);
  return texts;
}

function pick(values: Options, table: OptionTable): Options {
  return Object.freeze(Object.fromEntries(Object.keys(table).map((key) => [key, values[key] ?? null])));
}

