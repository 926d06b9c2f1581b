/**
 * The part of SQL/JSON paths that names one place: `$`, `.name`, `."any name"`, `['name']`, `[index]` (from 0), with an
 * optional `lax` before. Wildcards, filters and methods are refused.
 */
import type { JsonNode } from '../cast/json-node.ts';

export type JsonPath = readonly (string | number)[];

const STEP = new RegExp(
  [
    String.raw`\.([\p{L}_$][\p{L}\p{N}_$]*)`,
    String.raw`\."((?:[^"\\]|\\.)*)"`,
    String.raw`\[\s*'((?:[^'\\]|\\.)*)'\s*\]`,
    String.raw`\[\s*"((?:[^"\\]|\\.)*)"\s*\]`,
    String.raw`\[\s*(\d{1,9})\s*\]`,
  ].join('|'),
  'uy',
);

/** The steps, or what is wrong. */
export function parseJsonPath(text: string): JsonPath | string {
  const match = /^\s*(?:lax\s+)?\$/.exec(text);
  if (match === null) {
    return /^\s*strict\b/.test(text)
      ? 'paths are lax: leave `strict` away'
      : `a path begins with $, as in '$.a.b[0]', not '${text.slice(0, 50)}'`;
  }
  const steps: (string | number)[] = [];
  STEP.lastIndex = match[0].length;
  while (STEP.lastIndex < text.length) {
    const at = STEP.lastIndex;
    const step = STEP.exec(text);
    if (step === null) {
      const rest = text.slice(at).trim();
      if (rest === '') break;
      return `in the path, '${rest.slice(0, 50)}' is not understood; a path is made of .name, ['name'] and [0]`;
    }
    const [, name, quoted, single, double, index] = step;
    if (index !== undefined) steps.push(Number(index));
    else steps.push(name ?? (quoted ?? single ?? double ?? '').replace(/\\(.)/gs, '$1'));
  }
  return steps;
}

/** The node at a path, or null where there is none. */
export function followPath(root: JsonNode, path: JsonPath): JsonNode | null {
  let node: JsonNode | undefined = root;
  for (const step of path) {
    if (typeof step === 'number') node = node.kind === 'array' ? node.items[step] : undefined;
    else node = node.kind === 'object' ? node.members.get(step) : undefined;
    if (node === undefined) return null;
  }
  return node;
}
