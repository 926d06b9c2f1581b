import type { PlacedText } from './placed-text.ts';
import type { TextRange } from './source-text.ts';

/**
 * A job file's values with their places: what YAML says, after aliases, interpolation and repair, and nothing of the
 * YAML library.
 */
export type DocumentNode = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly range: TextRange;
  readonly value: string | number | boolean | null;
  /** As the file spells it: `0123` and `1.10` keep their zeros. Empty where nothing was written. */
  readonly text: PlacedText;
}

export interface ListNode {
  readonly kind: 'list';
  readonly range: TextRange;
  readonly items: readonly DocumentNode[];
  readonly damaged: boolean;
}

export interface MapNode {
  readonly kind: 'map';
  readonly range: TextRange;
  /** Keys are unique. */
  readonly entries: readonly MapEntry[];
  /** Part of it could not be read: what is not there is not missing. */
  readonly damaged: boolean;
}

export interface MapEntry {
  readonly key: string;
  readonly keyRange: TextRange;
  readonly value: DocumentNode;
}

export function entryOf(map: MapNode, key: string): MapEntry | undefined {
  return map.entries.find((entry) => entry.key === key);
}

/** Whether nothing was written after the colon. */
export function isEmpty(node: DocumentNode): boolean {
  return node.kind === 'scalar' && node.value === null && node.text.text === '';
}

/** What a value is, for messages. */
export function describeNode(node: DocumentNode): string {
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'map') return 'a mapping';
  if (isEmpty(node)) return 'nothing';
  if (node.text.isInterpolated) return `\`${node.text.hideVariables(node.text.text)}\``;
  const shown = node.text.text;
  return `\`${shown.length > 60 ? `${shown.slice(0, 57)}…` : shown}\``;
}
