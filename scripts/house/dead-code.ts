import { dirname } from 'node:path';

import type { Finding, HouseCheck } from './finding.ts';
import { entryPoints, programFolders, startedFiles } from './rooms.ts';
import { isTest, reachedFrom, type SourceTree } from './source-tree.ts';

/** Files that no program, script or test leads to. */
export const deadFiles: HouseCheck = {
  rule: 'dead-files',
  find(tree) {
    const starts = [...entryPoints, ...tree.scriptEntries, ...[...tree.files.keys()].filter(isStart)];
    const reached = reachedFrom(tree, starts);
    const dead = [...tree.files.keys()].filter((path) => !reached.has(path));
    const message = 'nothing imports it: use it or delete it';
    return dead.map((file) => ({ file, line: 1, column: 1, rule: 'dead-files', message }));
  },
};

/** Programs, tests, Jest's environments and declaration files are found by their readers, not by imports. */
function isStart(path: string): boolean {
  if (programFolders.includes(dirname(path)) || startedFiles.includes(path)) return true;
  return isTest(path) || path.endsWith('.d.ts') || /^(integration\/environment|examples)\//.test(path);
}

/** Exported values that no other file imports. */
export const deadExports: HouseCheck = {
  rule: 'dead-exports',
  find(tree) {
    const used = usedExports(tree);
    const found: Finding[] = [];
    for (const file of tree.files.values()) {
      // What examples export is named by job files, or is a job.
      if (entryPoints.includes(file.path) || file.path.startsWith('examples/')) continue;
      for (const { name, line, column } of file.exports) {
        if (used.has(`${file.path}#${name}`)) continue;
        const message = `nothing imports \`${name}\`: use it, or drop the export`;
        found.push({ file: file.path, line, column, rule: 'dead-exports', message });
      }
    }
    return found;
  },
};

/** `file#name` of every export that some import reaches, through re-exports as well. */
function usedExports(tree: SourceTree): Set<string> {
  const used = new Set<string>();
  const mark = (path: string, name: string): void => {
    const key = `${path}#${name}`;
    if (used.has(key)) return;
    used.add(key);
    for (const use of tree.files.get(path)?.imports ?? []) {
      if (use.target === null || use.reExportedAs === undefined) continue;
      if (use.reExportedAs === null) mark(use.target, name);
      else {
        const index = use.reExportedAs.indexOf(name);
        const original = use.names?.[index];
        if (index >= 0 && original !== undefined) mark(use.target, original);
      }
    }
  };
  const markAll = (path: string): void => {
    for (const name of namesOf(tree, path)) mark(path, name);
  };
  for (const file of tree.files.values()) {
    for (const { target, names, reExportedAs } of file.imports) {
      if (target === null) continue;
      const passesOn = reExportedAs !== undefined && !entryPoints.includes(file.path);
      if (passesOn) continue;
      if (names === null) markAll(target);
      else for (const name of names) mark(target, name);
    }
  }
  return used;
}

/** Every value that can be imported from a file. */
function namesOf(tree: SourceTree, path: string): readonly string[] {
  const file = tree.files.get(path);
  if (file === undefined) return [];
  const passedOn = file.imports.flatMap(({ target, reExportedAs }) => {
    if (target === null || reExportedAs === undefined) return [];
    return reExportedAs ?? namesOf(tree, target);
  });
  return [...file.exports.map(({ name }) => name), ...passedOn];
}
