/*
 * npm run build: dist/, with types, from nothing. `-- --out FOLDER` builds elsewhere, without checking
 * types, which is much faster: for trees that are checked anyway.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, globSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({ options: { out: { type: 'string' } } });
const target = resolve(values.out ?? join(root, 'dist'));
rmSync(target, { recursive: true, force: true });
const flags = ['--outDir', target, ...(values.out === undefined ? [] : ['--noCheck'])];
const compiler = spawnSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', ...flags],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
);
// What the compiler does not know: contracts that are read when they are used.
if (compiler.status === 0) {
  for (const contract of globSync('src/**/*.proto', { cwd: root })) {
    copyFileSync(join(root, contract), join(target, contract));
  }
}
process.exitCode = compiler.status ?? 1;
