/**
 * The code of a job for a cluster (docs/design/023): the modules that are named and what they import by relative paths,
 * as Node resolved them here, below the folder that all of them share. Packages are not sent along.
 */
import { dirname, join, relative, sep } from 'node:path';
import { isBuiltin } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { bundleOf, type CodeBundle } from '../../core/index.ts';
import type { CommandContext } from '../command-context.ts';
import { cliErrors } from '../errors.ts';
import { isRelative, type UserImport } from '../import-user-module.ts';
import { describeFailure } from '../job-module.ts';

export interface CollectedCode {
  readonly bundle: CodeBundle;
  /** The file of a module that was asked for, by its URL. */
  readonly fileOf: (url: string) => string;
}

/** `import()` within a function: what it means is not loaded yet. */
const LATE_IMPORT = /\bimport\s*\(\s*(['"`])(\.{1,2}\/[^'"`$]+)\1/g;

/** Imports the modules (`file:` URLs). Rejects with MR-CLI-CODE where one does not work, or cannot be sent. */
export async function collectCode(context: CommandContext, urls: readonly string[]): Promise<CollectedCode> {
  /** By path. */
  const texts = new Map<string, string>();
  const pathOf = new Map<string, string>();
  const queue = [...urls];
  for (const url of queue) {
    await load(context, url);
    const behind = [...context.modulesBehind(url)];
    pathOf.set(url, fileURLToPath(behind[0]?.[0] ?? url));
    for (const [module, imports] of behind) {
      const path = fileURLToPath(module);
      if (texts.has(path)) continue;
      checkImports(path, imports);
      const text = await context.ports.files.readText(path);
      texts.set(path, text);
      queue.push(...(await lateImports(context, path, text)));
    }
  }
  const folder = sharedFolder([...texts.keys()]);
  const files = new Map([...texts].map(([path, text]) => [nameBelow(folder, path), text]));
  for (const [name, text] of await moduleKinds(context, folder, [...texts.keys()])) {
    if (!files.has(name)) files.set(name, text);
  }
  const reading = bundleOf(Object.fromEntries(files));
  if (reading.kind === 'refused') throw unusable(folder, reading.reason);
  return { bundle: reading.bundle, fileOf: (url) => nameBelow(folder, pathOf.get(url) ?? fileURLToPath(url)) };
}

async function load(context: CommandContext, url: string): Promise<void> {
  try {
    await context.importModule(url);
  } catch (error) {
    const path = fileURLToPath(url);
    throw cliErrors.create('MR-CLI-CODE', { path, reason: describeFailure(error, url, path) }, error);
  }
}

function checkImports(path: string, imports: readonly UserImport[]): void {
  for (const { specifier } of imports) {
    if (isRelative(specifier) || isBuiltin(specifier)) continue;
    const why = specifier.startsWith('#') || /^(?:\/|file:)/.test(specifier) ? 'only relative paths' : PACKAGES;
    throw unusable(path, `it imports ${specifier}, and ${why} go along to a cluster`);
  }
}

const PACKAGES = 'no packages but `millrace`: bundle it into the file, with esbuild for instance; only relative paths';

async function lateImports(context: CommandContext, path: string, text: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [, , specifier = ''] of text.matchAll(LATE_IMPORT)) {
    const target = join(dirname(path), specifier);
    // What is in a comment may not be there.
    if ((await context.ports.files.stat(target)) !== null) found.push(pathToFileURL(target).href);
  }
  return found;
}

/** What Node reads out of package.json: whether `.js` and `.ts` are ES modules. Nothing else of it goes along. */
async function moduleKinds(
  context: CommandContext,
  folder: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const kinds = new Map([[PACKAGE_FILE, '{}']]);
  for (const start of new Set(paths.map((path) => dirname(path)))) {
    for (let at = start; ; at = dirname(at)) {
      const kind = await kindOf(context, join(at, PACKAGE_FILE));
      const name = at.startsWith(folder) ? nameBelow(folder, join(at, PACKAGE_FILE)) : PACKAGE_FILE;
      if (kind !== null) kinds.set(name, kind);
      if (kind !== null || at === dirname(at)) break;
    }
  }
  return kinds;
}

const PACKAGE_FILE = 'package.json';

async function kindOf({ ports: { files } }: CommandContext, path: string): Promise<string | null> {
  if ((await files.stat(path)) === null) return null;
  const type = /"type"\s*:\s*"(module|commonjs)"/.exec(await files.readText(path))?.[1];
  return JSON.stringify(type === undefined ? {} : { type });
}

function sharedFolder(paths: readonly string[]): string {
  let shared = dirname(paths[0] ?? sep);
  while (!paths.every((path) => shared === sep || path.startsWith(shared + sep))) shared = dirname(shared);
  return shared;
}

function nameBelow(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/');
}

function unusable(path: string, reason: string): Error {
  return cliErrors.create('MR-CLI-CODE', { path, reason });
}
