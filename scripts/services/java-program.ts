/*
 * Small Java programs of one source file each, compiled on first need against a cached set of jar files. They are the
 * independent opinion of Kafka's own clients in tests.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';

import { ensureArtifact, type Artifact, type Progress } from './artifacts.ts';
import { cacheDirectory } from './cache.ts';
import { ServicesError } from './errors.ts';
import { withFileLock } from './file-lock.ts';

export interface JavaProgram {
  readonly mainClass: string;
  readonly classPath: string;
}

function compile(sourceFile: string, jars: string, output: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const args = ['-nowarn', '-encoding', 'UTF-8', '-cp', join(jars, '*'), '-d', output, sourceFile];
    execFile('javac', args, { encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new ServicesError(`javac ${sourceFile}: ${`${stdout}${stderr}`.trim() || error.message}`));
    });
  });
}

/** Returns how to run the program, compiling it when its source or its jar files are new. */
export async function ensureJavaProgram(
  sourceFile: string,
  artifact: Artifact,
  progress: Progress = () => undefined,
): Promise<JavaProgram> {
  const jars = await ensureArtifact(artifact, progress);
  const mainClass = basename(sourceFile, '.java');
  const hash = createHash('sha256').update(readFileSync(sourceFile)).update(basename(jars)).digest('hex').slice(0, 12);
  const classes = join(cacheDirectory(), 'classes', `${mainClass}-${hash}`);
  if (!existsSync(classes)) {
    await withFileLock(`${classes}.lock`, async () => {
      if (existsSync(classes)) return;
      const partial = `${classes}.partial`;
      rmSync(partial, { recursive: true, force: true });
      mkdirSync(partial, { recursive: true });
      await compile(sourceFile, jars, partial);
      renameSync(partial, classes);
    });
  }
  return { mainClass, classPath: [classes, join(jars, '*')].join(delimiter) };
}
