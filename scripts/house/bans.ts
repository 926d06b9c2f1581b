import ts from 'typescript';

import type { Finding, HouseCheck } from './finding.ts';
import { bannedModules, bannedNames, entryPoints, type Ban } from './rooms.ts';
import { positionOf, reachedFrom, type SourceFile } from './source-tree.ts';

const byName = new Map(bannedNames.map((ban) => [ban.name, ban]));
const byModule = new Map(bannedModules.map((ban) => [ban.name, ban]));

/** Time, chance, files, sockets, streams and the environment come through ports: each call has one home. */
export const bans: HouseCheck = {
  rule: 'bans',
  find(tree) {
    const shipped = reachedFrom(tree, entryPoints);
    const found: Finding[] = [];
    for (const file of tree.files.values()) {
      if (shipped.has(file.path)) found.push(...bansOfModules(file), ...bansOfNames(file));
    }
    return found;
  },
};

function bansOfModules(file: SourceFile): Finding[] {
  return file.imports.flatMap((use) => {
    if (use.typeOnly) return [];
    const ban = byModule.get(use.specifier) ?? byModule.get(`node:${use.specifier}`);
    return ban === undefined || ban.homes.includes(file.path) ? [] : [violation(file, use.line, use.column, ban)];
  });
}

function violation(file: SourceFile, line: number, column: number, ban: Ban): Finding {
  const home = ban.homes.length === 0 ? '' : ` (its home is ${ban.homes.join(', ')})`;
  return { file: file.path, line, column, rule: 'bans', message: `${ban.name} is banned: use ${ban.use}${home}` };
}

function bansOfNames(file: SourceFile): Finding[] {
  const found: Finding[] = [];
  const visit = (node: ts.Node): void => {
    const name = bannedUse(node);
    const ban = name === null ? undefined : byName.get(name);
    if (ban !== undefined && !ban.homes.includes(file.path)) {
      const { line, column } = positionOf(file.tree, node.getStart(file.tree));
      found.push(violation(file, line, column, ban));
    }
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return found;
}

/** The name that a node uses, if it is one that could be banned. `new Date()` reads the clock as Date.now does. */
function bannedUse(node: ts.Node): string | null {
  if (ts.isPropertyAccessExpression(node)) {
    const object = node.expression;
    const isGlobal = ts.isIdentifier(object) && object.text === 'globalThis';
    if (isGlobal) return node.name.text;
    return ts.isIdentifier(object) ? `${object.text}.${node.name.text}` : null;
  }
  if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'Date') {
    return node.arguments === undefined || node.arguments.length === 0 ? 'Date.now' : null;
  }
  if (!ts.isIdentifier(node)) return null;
  const parent = node.parent;
  const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node;
  const isDeclared =
    (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodDeclaration(parent)) &&
    parent.name === node;
  return isMember || isDeclared ? null : node.text;
}
