/* npm run build: dist/, with types, from nothing. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, globSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });
const compiler = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
// What the compiler does not know: contracts that are read when they are used.
if (compiler.status === 0) {
  for (const contract of globSync('src/**/*.proto', { cwd: root })) {
    copyFileSync(`${root}${contract}`, `${root}dist/${contract}`);
  }
}
process.exitCode = compiler.status ?? 1;
