/*
 * Jar files by a pinned pom.xml: Maven copies them once into a directory named by a hash of that pom. The copy is made
 * under another name and renamed when it is whole, so a directory that exists is complete; a lock lets concurrent first
 * runs share one download.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { artifactsDirectory } from './cache.ts';
import { ServicesError } from './errors.ts';
import { withFileLock } from './file-lock.ts';

export type Progress = (line: string) => void;

export type Artifact = 'kafka-3.9' | 'kafka-4.1' | 'kafka-tools' | 'zookeeper' | 's3proxy';

const POMS = join(dirname(fileURLToPath(import.meta.url)), 'maven');

function pomOf(artifact: Artifact): string {
  return join(POMS, artifact, 'pom.xml');
}

function directoryOf(name: string, pomFile: string): string {
  const hash = createHash('sha256').update(readFileSync(pomFile)).digest('hex').slice(0, 12);
  return join(artifactsDirectory(), `${name}-${hash}`);
}

/** Whether a start needs no download. */
export function isCached(artifact: Artifact): boolean {
  return existsSync(directoryOf(artifact, pomOf(artifact)));
}

/** The version that the pom pins for the dependency with this artifact id. */
export function pinnedVersion(artifact: Artifact, artifactId: string): string {
  const pom = readFileSync(pomOf(artifact), 'utf8');
  const version = new RegExp(`<artifactId>${artifactId}</artifactId>\\s*<version>([^<]+)</version>`).exec(pom)?.[1];
  if (version === undefined) throw new Error(`${pomOf(artifact)} does not pin ${artifactId}`);
  return version;
}

const PROGRESS_INTERVAL_MS = 2000;

/**
 * Runs Maven quietly, telling how many files have come so far. Rejects with Maven's own error lines. One Maven runs at
 * a time, because its local repository is not safe for several.
 */
export function runMaven(args: readonly string[], what: string, progress: Progress): Promise<void> {
  mkdirSync(artifactsDirectory(), { recursive: true });
  return withFileLock(join(artifactsDirectory(), '.maven.lock'), () => runMavenAlone(args, what, progress));
}

async function runMavenAlone(args: readonly string[], what: string, progress: Progress): Promise<void> {
  const child = spawn('mvn', ['-B', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const errors: string[] = [];
  let files = 0;
  let told = 0;
  const onLine = (line: string): void => {
    // Maven colours its output on some machines even in batch mode.
    const text = line.replace(/\u001b\[[0-9;]*m/g, '');
    if (text.startsWith('[ERROR]')) errors.push(text.slice('[ERROR]'.length).trim());
    const file = /^(?:\[INFO\] )?Downloaded from [^:]+: \S+\/([^/\s]+\.jar) \(([^)]+)\)/.exec(text);
    if (file === null) return;
    files++;
    if (performance.now() - told < PROGRESS_INTERVAL_MS) return;
    told = performance.now();
    progress(`${what}: ${String(files)} files so far, last ${file[1] ?? ''} (${file[2] ?? ''})`);
  };
  createInterface({ input: child.stdout }).on('line', onLine);
  createInterface({ input: child.stderr }).on('line', onLine);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) {
    const reason = errors.find((line) => line !== '') ?? `exit code ${String(code)}`;
    throw new ServicesError(`Maven could not make ${what}: ${reason}`);
  }
  if (files > 0) progress(`${what}: ${String(files)} files downloaded`);
}

/** Returns the directory of jar files, fetching them on first need. */
export async function ensureArtifact(artifact: Artifact, progress: Progress): Promise<string> {
  const pomFile = pomOf(artifact);
  const target = directoryOf(artifact, pomFile);
  if (existsSync(target)) return target;
  mkdirSync(artifactsDirectory(), { recursive: true });
  return withFileLock(
    `${target}.lock`,
    async () => {
      if (existsSync(target)) return target;
      const partial = `${target}.partial`;
      rmSync(partial, { recursive: true, force: true });
      progress(`${artifact}: fetching its jar files (once; cached afterwards)`);
      await runMaven(
        ['-f', pomFile, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${partial}`],
        artifact,
        progress,
      );
      if (readdirSync(partial).length === 0) throw new ServicesError(`Maven left ${partial} empty`);
      renameSync(partial, target);
      return target;
    },
    {
      onWait: () => {
        progress(`${artifact}: another process is fetching it`);
      },
    },
  );
}
