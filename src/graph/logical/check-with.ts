import { nearestName } from '../../core/index.ts';
import type {
  ConnectorCatalog,
  FormatDefinition,
  OptionProblem,
  OptionRow,
  OptionTable,
  Options,
  LookupConnector,
  SinkConnector,
  SourceConnector,
} from '../../core/index.ts';
import { entryOf, isEmpty } from '../spec/document.ts';
import type { WithBlock } from '../spec/job-spec.ts';
import { readOptions, reportOption } from '../spec/option-block.ts';
import type { ProblemList } from '../spec/problem.ts';

/** The parsed options of a connector and of its format, which stand in one `with` block. */
export interface CheckedWith {
  readonly options: Options;
  readonly format: { readonly name: string; readonly options: Options } | null;
  readonly definition: FormatDefinition | null;
}

type Connector = SourceConnector | SinkConnector | LookupConnector;
type Direction = 'decode' | 'encode';

/** Null where something is wrong; the problems say what. */
export function checkWith(
  block: WithBlock,
  connector: Connector,
  catalog: ConnectorCatalog,
  problems: ProblemList,
): CheckedWith | null {
  const direction = connector.kind === 'sink' ? 'encode' : 'decode';
  const before = problems.count;
  const definition = findFormat(block, connector, direction, catalog, problems);
  const values = readOptions(block, tableOf(connector, definition, catalog), problems);
  if (values === null || problems.count > before) return null;
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
  connector: Connector,
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
  connector: Connector,
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

function pick(values: Options, table: OptionTable): Options {
  return Object.freeze(Object.fromEntries(Object.keys(table).map((key) => [key, values[key] ?? null])));
}
