/* The folders that images are built from: what stands in docker/, and what npm, Maven and the compiler make. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cacheDirectory, ensureArtifact, ServicesError, type Artifact, type Progress } from '../services/index.ts';
import { isRead } from './prune.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const imagesDirectory = join(cacheDirectory(), 'images');

/** Dockerfiles and scripts of an image, in a new folder. */
function begin(name: string): string {
  const folder = join(imagesDirectory, name);
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(ROOT, 'docker', name), folder, { recursive: true });
  return folder;
}

export async function serviceContext(
  name: string,
  artifacts: readonly Artifact[],
  progress: Progress,
): Promise<string> {
  const folder = begin(name);
  for (const artifact of artifacts) {
    cpSync(await ensureArtifact(artifact, progress), join(folder, 'jars'), { recursive: true });
  }
  return folder;
}

/** The pinned binary that the tests run on, too. */
function nodeBinary(): string {
  return join(dirname(createRequire(join(ROOT, 'package.json')).resolve('node/package.json')), 'bin', 'node');
}

export async function engineContext(progress: Progress): Promise<string> {
  const modules = await productionModules(progress);
  const folder = begin('engine');
  const app = join(folder, 'app');
  mkdirSync(app);
  progress('engine: compiling');
  await run(process.execPath, [join(ROOT, 'scripts', 'build.ts'), '--out', join(app, 'dist')], ROOT);
  for (const path of ['bin', 'package.json', 'LICENSE']) cpSync(join(ROOT, path), join(app, path), { recursive: true });
  copyRead(modules, join(app, 'node_modules'));
  copyRead(join(app, 'dist'), join(app, 'dist.pruned'));
  rmSync(join(app, 'dist'), { recursive: true });
  renameSync(join(app, 'dist.pruned'), join(app, 'dist'));
  cpSync(nodeBinary(), join(folder, 'node'));
  return folder;
}

function copyRead(from: string, to: string): void {
  const platform = `linux-${process.arch}`;
  cpSync(from, to, {
    recursive: true,
    // Commands of packages; nobody calls them, and they are links.
    filter: (path) => {
      const inside = relative(from, path);
      return inside === '' || (!inside.startsWith('.bin') && isRead(inside, statSync(path).isDirectory(), platform));
    },
  });
}

/** As the lock file says, fetched once for each. */
async function productionModules(progress: Progress): Promise<string> {
  const files = ['package.json', 'package-lock.json'];
  const hash = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json'))).digest('hex');
  const folder = join(imagesDirectory, `modules-${process.arch}-${hash.slice(0, 12)}`);
  if (!existsSync(folder)) {
    progress('engine: fetching its production dependencies');
    const partial = `${folder}.partial`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true });
    for (const file of files) cpSync(join(ROOT, file), join(partial, file));
    // None of them has an install script that does anything but choose among binaries that are there.
    await run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], partial);
    renameSync(partial, folder);
  }
  return join(folder, 'node_modules');
}

function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new ServicesError(`${command} ${args.join(' ')}:\n${`${stdout}${stderr}`.trim() || error.message}`));
    });
  });
}
