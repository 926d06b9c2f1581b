import { basename } from 'node:path';

import ts from 'typescript';

import type { Finding, HouseCheck } from './finding.ts';
import { emptyFileNames, MAX_FUNCTION_LINES, MAX_LINE_LENGTH, roots } from './rooms.ts';
import { isTest, positionOf } from './source-tree.ts';

export const lineLength: HouseCheck = {
  rule: 'line-length',
  find(tree) {
    const found: Finding[] = [];
    for (const { path, text } of tree.files.values()) {
      text.split('\n').forEach((line, index) => {
        if ([...line].length <= MAX_LINE_LENGTH) return;
        const message = `${String([...line].length)} columns, at most ${String(MAX_LINE_LENGTH)}`;
        found.push({ file: path, line: index + 1, column: MAX_LINE_LENGTH + 1, rule: 'line-length', message });
      });
    }
    return found;
  },
};

export const functionLength: HouseCheck = {
  rule: 'function-length',
  find(tree) {
    const found: Finding[] = [];
    for (const file of tree.files.values()) {
      const visit = (node: ts.Node): void => {
        ts.forEachChild(node, visit);
        if (!ts.isFunctionLike(node) || (isTest(file.path) && isSuite(node))) return;
        const start = positionOf(file.tree, node.getStart(file.tree));
        const lines = positionOf(file.tree, node.getEnd()).line - start.line + 1;
        if (lines <= MAX_FUNCTION_LINES) return;
        const message = `${String(lines)} lines, at most ${String(MAX_FUNCTION_LINES)}: split it where a name helps`;
        found.push({ file: file.path, ...start, rule: 'function-length', message });
      };
      visit(file.tree);
    }
    return found;
  },
};

/** The callback of `describe`, which is a list of tests rather than a function. */
function isSuite(node: ts.Node): boolean {
  const call = node.parent;
  if (!ts.isCallExpression(call)) return false;
  const text = call.expression.getText();
  return text === 'describe' || text.startsWith('describe.');
}

// Spelled in pieces, so that the rule does not find itself.
const LEFTOVERS = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`);
const LEFTOVER_TEST = new RegExp(`\\b(describe|it|test)\\.(${['on' + 'ly', 'sk' + 'ip', 'to' + 'do'].join('|')})\\b`);

export const leftovers: HouseCheck = {
  rule: 'leftovers',
  find(tree) {
    const found: Finding[] = [];
    for (const { path, text } of tree.files.values()) {
      text.split('\n').forEach((line, index) => {
        const match = LEFTOVERS.exec(line) ?? (isTest(path) ? LEFTOVER_TEST.exec(line) : null);
        if (match === null) return;
        const message = `\`${match[0]}\` is left over: do it, or drop it`;
        found.push({ file: path, line: index + 1, column: match.index + 1, rule: 'leftovers', message });
      });
    }
    return found;
  },
};

export const fileNames: HouseCheck = {
  rule: 'file-names',
  find(tree) {
    const found: Finding[] = [];
    for (const path of tree.files.keys()) {
      const name = basename(path).replace(/(\.property)?(\.test|\.d)?\.ts$/, '');
      const message = emptyFileNames.includes(name)
        ? `\`${name}\` says nothing: name the file after what is in it`
        : `\`${name}\` is not in kebab-case`;
      const isGood = !emptyFileNames.includes(name) && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name);
      if (!isGood) found.push({ file: path, line: 1, column: 1, rule: 'file-names', message });
    }
    return found;
  },
};

/** A room of `src/` has a page for its reader and one door. */
export const roomPages: HouseCheck = {
  rule: 'room-pages',
  find(tree) {
    const present = new Set([...tree.files.keys()].flatMap((path) => /^src\/([^/]+)\//.exec(path)?.[1] ?? []));
    const found: Finding[] = [];
    for (const room of present) {
      const page = `src/${room}/README.md`;
      const door = `src/${room}/index.ts`;
      const missing = tree.others.has(page) ? [] : [page];
      // What stands at the roots is a program: nobody comes in by a door.
      if (!roots.includes(room) && !tree.files.has(door)) missing.push(door);
      const at = { line: 1, column: 1, rule: 'room-pages' };
      for (const file of missing) found.push({ ...at, file, message: `the room has no ${basename(file)}` });
    }
    return found;
  },
};
