/**
 * Mappings whose keys are rows of an option table: `with` of connectors, and blocks such as `checkpoint`. What is wrong
 * points at the value in the file; values of variables and secrets are not shown.
 */
import { parseOptions } from '../../core/index.ts';
import type { OptionProblem, OptionRow, OptionTable, OptionValue, OptionValues } from '../../core/index.ts';
import { entryOf, isEmpty } from './document.ts';
import type { DocumentNode, MapEntry, MapNode } from './document.ts';
import type { WithBlock } from './job-spec.ts';
import type { PlacedText } from './placed-text.ts';
import type { ProblemList } from './problem.ts';
import type { TextRange } from './source-text.ts';

/** The values of a table; null where something is wrong, which is then reported. */
export function readOptions<Table extends OptionTable>(
  block: WithBlock,
  table: Table,
  problems: ProblemList,
): OptionValues<Table> | null {
  const before = problems.count;
  const { raw, unknown } = rawOptions(block.node, table, problems);
  const { values, problems: found } = parseOptions(table, raw);
  const meant = new Set(found.map((problem) => (problem.what === 'unknown' ? problem.suggestion : null)));
  for (const problem of found) {
    const key = String(problem.path[0]);
    // A misspelt required option is one mistake, and so is one whose value is not known.
    const isFollowing = problem.what === 'missing' && (meant.has(key) || block.node?.damaged === true);
    if (!isFollowing && !unknown.has(key)) reportOption(problem, block, table, problems);
  }
  const isKnown = problems.count === before && unknown.size === 0 && block.node?.damaged !== true;
  return isKnown ? values : null;
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

/** A block whose most important setting may stand alone: `checkpoint: 10s` is `checkpoint: {interval: 10s}`. */
export function blockOf(entry: MapEntry, only: string): MapNode | null {
  const node: DocumentNode = entry.value;
  if (node.kind === 'map') return node;
  if (node.kind === 'list' || isEmpty(node)) return null;
  const alone = { key: only, keyRange: entry.keyRange, value: node };
  return { kind: 'map', range: node.range, entries: [alone], damaged: false };
}

/** What an option's own checks, or those of several together, have found. */
export function reportOption(
  problem: OptionProblem,
  block: WithBlock,
  table: OptionTable,
  problems: ProblemList,
): void {
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
