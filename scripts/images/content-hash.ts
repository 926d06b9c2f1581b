import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Of names and contents of all these files and of those in these folders, tests left out. */
export function contentHash(root: string, paths: readonly string[], more: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths.flatMap((each) => filesOf(root, each))) {
    hash.update(`${path}\0`).update(readFileSync(join(root, path))).update('\0');
  }
  for (const each of more) hash.update(`${each}\0`);
  return hash.digest('hex').slice(0, 16);
}

function filesOf(root: string, path: string): string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path))
    .sort()
    .filter((name) => !/\.test\.ts$|^README\.md$/.test(name))
    .flatMap((name) => filesOf(root, join(path, name)));
}
