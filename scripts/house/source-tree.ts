/** Every source file of the project, parsed once: what the checks of the house read. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';

import ts from 'typescript';

export interface ImportUse {
  /** As written. */
  readonly specifier: string;
  /** The project's file that it means, or null for a package or a module of Node. */
  readonly target: string | null;
  readonly line: number;
  readonly column: number;
  readonly typeOnly: boolean;
  /** By `import()`: it is loaded when the code that says so runs. */
  readonly isLate?: true;
  /** The names taken, by their name in the target; null for all of them. */
  readonly names: readonly string[] | null;
  /** Set where the names leave this file again under these names; `null` for `export * from`. */
  readonly reExportedAs: readonly string[] | null | undefined;
}

export interface ExportedValue {
  readonly name: string;
  readonly line: number;
  readonly column: number;
}

export interface SourceFile {
  /** Relative to the project, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly ImportUse[];
  /** Values (not types) that the file itself declares and exports. */
  readonly exports: readonly ExportedValue[];
}

export interface SourceTree {
  readonly files: ReadonlyMap<string, SourceFile>;
  /** Other files that exist, such as READMEs. */
  readonly others: ReadonlySet<string>;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
  /** Files that a script of package.json starts. */
  readonly scriptEntries: readonly string[];
}

export interface PackageFacts {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

const FOLDERS = ['src', 'scripts', 'integration', 'bench', 'examples'];
const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'target', '.millrace']);

export function readSourceTree(root: string): SourceTree {
  const texts = new Map<string, string>();
  const others = new Set<string>();
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!SKIPPED_FOLDERS.has(entry.name)) visit(path);
      } else {
        const name = relative(root, path).split(sep).join('/');
        if (entry.name.endsWith('.ts')) texts.set(name, readFileSync(path, 'utf8'));
        else others.add(name);
      }
    }
  };
  const present = new Set(readdirSync(root));
  for (const folder of FOLDERS) if (present.has(folder)) visit(join(root, folder));
  const facts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageFacts;
  return parseSourceTree(texts, others, facts);
}

/** A tree from texts by path; what tests of the checks use. */
export function parseSourceTree(
  texts: ReadonlyMap<string, string>,
  others: ReadonlySet<string>,
  facts: PackageFacts,
): SourceTree {
  const files = new Map<string, SourceFile>();
  for (const [path, text] of texts) files.set(path, parseFile(path, text));
  const commands = Object.values(facts.scripts ?? {});
  return {
    files,
    others,
    dependencies: new Set(Object.keys(facts.dependencies ?? {})),
    devDependencies: new Set(Object.keys(facts.devDependencies ?? {})),
    scriptEntries: commands.flatMap((command) => command.match(/[\w/-]+\.ts\b/g) ?? []),
  };
}

function parseFile(path: string, text: string): SourceFile {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  const imports: ImportUse[] = [];
  const visit = (node: ts.Node): void => {
    const use = importOf(node, tree, path);
    if (use !== null) imports.push(use);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return { path, text, tree, imports, exports: exportsOf(tree) };
}

export function positionOf(tree: ts.SourceFile, offset: number): { line: number; column: number } {
  const { line, character } = tree.getLineAndCharacterOfPosition(offset);
  return { line: line + 1, column: character + 1 };
}

function importOf(node: ts.Node, tree: ts.SourceFile, path: string): ImportUse | null {
  const make = (
    specifier: ts.Expression | undefined,
    rest: Pick<ImportUse, 'typeOnly' | 'isLate' | 'names' | 'reExportedAs'>,
  ): ImportUse | null => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return null;
    const target = targetOf(path, specifier.text);
    return { specifier: specifier.text, target, ...positionOf(tree, specifier.getStart(tree)), ...rest };
  };
  if (ts.isImportDeclaration(node)) {
    return make(node.moduleSpecifier, { ...namesOfImport(node.importClause), reExportedAs: undefined });
  }
  if (ts.isExportDeclaration(node)) {
    const clause = node.exportClause;
    if (clause === undefined || ts.isNamespaceExport(clause)) {
      const reExportedAs = clause === undefined ? null : undefined;
      return make(node.moduleSpecifier, { typeOnly: node.isTypeOnly, names: null, reExportedAs });
    }
    const elements = clause.elements;
    return make(node.moduleSpecifier, {
      typeOnly: node.isTypeOnly || elements.every((element) => element.isTypeOnly),
      names: elements.map((element) => (element.propertyName ?? element.name).text),
      reExportedAs: elements.map((element) => element.name.text),
    });
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return make(node.arguments[0], { typeOnly: false, isLate: true, names: null, reExportedAs: undefined });
  }
  if (ts.isNewExpression(node) && node.expression.getText(tree) === 'URL') {
    // `new URL('./worker.ts', import.meta.url)`: a module that another thread will load. No cycle comes of that.
    const [specifier, base] = node.arguments ?? [];
    const path = specifier !== undefined && ts.isStringLiteralLike(specifier) ? specifier.text : '';
    if (!/^\..*\.ts$/.test(path) || base?.getText(tree) !== 'import.meta.url') return null;
    return make(specifier, { typeOnly: true, names: null, reExportedAs: undefined });
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return make(node.argument.literal, { typeOnly: true, names: null, reExportedAs: undefined });
  }
  return null;
}

function namesOfImport(clause: ts.ImportClause | undefined): Pick<ImportUse, 'typeOnly' | 'names'> {
  if (clause === undefined) return { typeOnly: false, names: [] };
  const bindings = clause.namedBindings;
  const typeOnly = clause.phaseModifier === ts.SyntaxKind.TypeKeyword;
  if (bindings !== undefined && ts.isNamespaceImport(bindings)) return { typeOnly, names: null };
  const elements = bindings?.elements ?? [];
  const names = elements.map((element) => (element.propertyName ?? element.name).text);
  return {
    typeOnly: typeOnly || (clause.name === undefined && elements.length > 0 && elements.every((e) => e.isTypeOnly)),
    names: clause.name === undefined ? names : ['default', ...names],
  };
}

function targetOf(from: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  return normalize(join(dirname(from), specifier)).split(sep).join('/');
}

function exportsOf(tree: ts.SourceFile): ExportedValue[] {
  const found: ExportedValue[] = [];
  const add = (name: ts.Node): void => {
    found.push({ name: name.getText(tree), ...positionOf(tree, name.getStart(tree)) });
  };
  for (const statement of tree.statements) {
    if (ts.isExportDeclaration(statement)) {
      if (statement.moduleSpecifier !== undefined || statement.isTypeOnly) continue;
      const clause = statement.exportClause;
      if (clause !== undefined && ts.isNamedExports(clause)) {
        for (const element of clause.elements) if (!element.isTypeOnly) add(element.name);
      }
      continue;
    }
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) continue;
    // A default export is for whoever loads the file by its path, such as Jest.
    if (modifiers.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)) continue;
    if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) if (ts.isIdentifier(name)) add(name);
    } else if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
      if (statement.name !== undefined) add(statement.name);
    }
  }
  return found;
}

/** Every file that imports of any kind lead to from these. */
export function reachedFrom(tree: SourceTree, starts: Iterable<string>): ReadonlySet<string> {
  const reached = new Set<string>();
  const visit = (path: string): void => {
    const file = tree.files.get(path);
    if (file === undefined || reached.has(path)) return;
    reached.add(path);
    for (const { target } of file.imports) if (target !== null) visit(target);
  };
  for (const path of starts) visit(path);
  return reached;
}

/** The folder of `src/` that a file is in, or null. */
export function roomOf(path: string): string | null {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? null;
}

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}
