/**
 * The code of a job that was submitted with it (docs/design/023): the modules that its steps name and what those
 * import, as one text that is known by its hash, so that what runs is what was submitted, on every machine and after
 * every restart. Code references of such a job have `millrace-code:HASH/FILE` for a URL until a TaskManager has the
 * files.
 */
import { createHash } from 'node:crypto';

import { readShape, shape } from './shape.ts';

export interface CodeBundle {
  /** Texts by path: relative, with `/`, below the folder that all of them share. */
  readonly files: ReadonlyMap<string, string>;
  /** The same text for the same files; what `hash` is the SHA-256 of. */
  readonly text: string;
  readonly hash: string;
}

export type BundleReading =
  | { readonly kind: 'read'; readonly bundle: CodeBundle }
  | { readonly kind: 'refused'; readonly reason: string };

/** Of all files together; far more than people write by hand. */
const MAX_BUNDLE_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 1000;
const MAX_PATH_LENGTH = 512;
const MAX_NAME_BYTES = 255;
const KINDS = /\.(?:[cm]?[jt]s|json)$/;
// Control characters, and what means something to a shell, a URL or another system's paths.
const FORBIDDEN = /[\u0000-\u001f\u007f\\:*?"<>|#%]/;
const VERSION = 1;
const SCHEME = 'millrace-code:';

const bundleShape = shape.fields({ version: shape.oneOf(VERSION), files: shape.map(shape.text) });

/** Refuses files that are no code, paths that lead out of their folder, and more than fits. */
export function bundleOf(files: Readonly<Record<string, string>>): BundleReading {
  const paths = Object.keys(files).sort();
  const reason = problemOf(paths);
  if (reason !== null) return { kind: 'refused', reason };
  const sorted = Object.fromEntries(paths.map((path) => [path, files[path] ?? '']));
  const text = JSON.stringify({ version: VERSION, files: sorted });
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > MAX_BUNDLE_BYTES) {
    return { kind: 'refused', reason: `it has ${sizeBytes} bytes, more than ${MAX_BUNDLE_BYTES}` };
  }
  const hash = createHash('sha256').update(text).digest('hex');
  return { kind: 'read', bundle: { files: new Map(Object.entries(sorted)), text, hash } };
}

/** What was sent or stored: refused where its hash is another than the one that it is known by. */
export function readBundle(text: string, hash: string): BundleReading {
  const reading = readShape(bundleShape, parseJson(text));
  if (reading.kind === 'refused') return reading;
  const found = bundleOf(reading.value.files);
  if (found.kind === 'read' && found.bundle.hash !== hash) {
    return { kind: 'refused', reason: `its hash is ${found.bundle.hash}, and ${hash} was expected` };
  }
  return found;
}

export interface CodeAddress {
  readonly hash: string;
  readonly file: string;
}

export function codeUrl({ hash, file }: CodeAddress): string {
  return `${SCHEME}${hash}/${file}`;
}

/** Null for the URL of anything else. */
export function parseCodeUrl(url: string): CodeAddress | null {
  const [, hash, file] = /^millrace-code:([0-9a-f]{64})\/(.+)$/.exec(url) ?? [];
  return hash === undefined || file === undefined || pathProblem(file) !== null ? null : { hash, file };
}

function problemOf(paths: readonly string[]): string | null {
  if (paths.length === 0) return 'it has no files';
  if (paths.length > MAX_FILES) return `it has ${paths.length} files, more than ${MAX_FILES}`;
  const folders = new Set(paths.flatMap(foldersOf));
  for (const path of paths) {
    const problem = pathProblem(path) ?? (folders.has(path) ? 'is a file and a folder' : null);
    if (problem !== null) return `${JSON.stringify(path.slice(0, MAX_PATH_LENGTH))} ${problem}`;
  }
  return null;
}

function foldersOf(path: string): readonly string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

function pathProblem(path: string): string | null {
  const names = path.split('/');
  if (path.length > MAX_PATH_LENGTH || names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)) {
    return 'is too long for a path';
  }
  if (names.some((name) => name === '' || name === '.' || name === '..')) return 'is no path below a folder';
  if (FORBIDDEN.test(path) || !path.isWellFormed()) return 'has characters that paths of code may not have';
  if (names.includes('node_modules')) return 'is of an installed package';
  return KINDS.test(path) ? null : 'is neither TypeScript, JavaScript nor JSON';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
