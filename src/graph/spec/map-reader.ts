import { nearestName } from '../../core/index.ts';
import { describeNode } from './document.ts';
import type { DocumentNode, MapEntry, MapNode } from './document.ts';
import type { PlacedText } from './placed-text.ts';
import type { ProblemList } from './problem.ts';
import type { TextRange } from './source-text.ts';
import { settingForAlias } from './verbs.ts';
import type { SettingRow } from './verbs.ts';

/**
 * Refuses every key of a mapping that is not in `rows`, with the nearest name, and every one not supported yet. Returns
 * the mapping with misspelt keys under the name that was probably meant, so that what stands below them is checked too.
 */
export function checkKeys(
  map: MapNode,
  rows: Readonly<Record<string, SettingRow>>,
  where: string,
  problems: ProblemList,
): MapNode {
  const names = Object.keys(rows);
  const present = new Set(map.entries.map((entry) => entry.key));
  const entries = map.entries.map((entry) => {
    const { key, keyRange } = entry;
    const row = Object.hasOwn(rows, key) ? rows[key] : undefined;
    if (row !== undefined) {
      if (!row.supported) unsupportedKey(entry, row, where, problems);
      return entry;
    }
    const suggestion = settingForAlias(key, rows) ?? nearestName(key, names);
    problems.add('MR-JOB-UNKNOWN-KEY', keyRange, { where, key: shorten(key) }, {
      expected: names.length === 0 ? 'no settings' : `one of ${names.join(', ')}`,
      suggestion,
    });
    if (suggestion === null || present.has(suggestion)) return entry;
    present.add(suggestion);
    return { ...entry, key: suggestion };
  });
  return { ...map, entries };
}

function unsupportedKey(entry: MapEntry, row: SettingRow, where: string, problems: ProblemList): void {
  problems.add('MR-JOB-UNSUPPORTED', entry.keyRange, { what: `\`${entry.key}\` (${row.doc})` }, {
    expected: `${where} without \`${entry.key}\``,
  });
}

export function requireKey(
  map: MapNode,
  entry: MapEntry | undefined,
  key: string,
  where: string,
  problems: ProblemList,
): void {
  if (entry === undefined && !map.damaged) {
    problems.add('MR-JOB-MISSING-KEY', firstKeyRange(map), { where, key }, { expected: `\`${key}:\`` });
  }
}

/** Where to point for what a mapping lacks: its first key, not all of its lines. */
export function firstKeyRange(map: MapNode): TextRange {
  return map.entries[0]?.keyRange ?? map.range;
}

export function asMap(node: DocumentNode, what: string, expected: string, problems: ProblemList): MapNode | null {
  if (node.kind === 'map') return node;
  wrongShape(node, what, expected, problems);
  return null;
}

/** The text of a scalar; null with a problem where it is another kind of value or nothing. */
export function asText(node: DocumentNode, what: string, expected: string, problems: ProblemList): PlacedText | null {
  if (node.kind === 'scalar' && node.text.isIncomplete) return null;
  if (node.kind === 'scalar' && node.text.text.trim() !== '') return node.text;
  wrongShape(node, what, expected, problems);
  return null;
}

export function wrongShape(node: DocumentNode, what: string, expected: string, problems: ProblemList): void {
  problems.add('MR-JOB-WRONG-SHAPE', node.range, { what, expected, given: describeNode(node) }, { expected });
}

export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
