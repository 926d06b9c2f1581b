import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cacheDirectory, runMaven, withFileLock, type Progress } from '../../scripts/services/index.ts';

const PROJECT = dirname(fileURLToPath(import.meta.url));

export interface FlinkJob {
  readonly classPath: string;
}

function sourceFiles(): string[] {
  const sources = readdirSync(join(PROJECT, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return [join(PROJECT, 'pom.xml'), ...sources];
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  for (const file of sourceFiles()) hash.update(relative(PROJECT, file)).update('\0').update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}

/** Builds the Maven project once per state of its sources, and returns how to run it. */
export async function buildFlinkJob(progress: Progress = () => undefined): Promise<FlinkJob> {
  const target = join(cacheDirectory(), 'flink', hashOfSources());
  if (!existsSync(target)) {
    mkdirSync(dirname(target), { recursive: true });
    await withFileLock(`${target}.lock`, async () => {
      if (existsSync(target)) return;
      const partial = `${target}.partial`;
      rmSync(partial, { recursive: true, force: true });
      progress('flink: building bench/flink (once; cached afterwards)');
      await runMaven(['-f', join(PROJECT, 'pom.xml'), `-DbuildDirectory=${partial}`, 'package'], 'flink', progress);
      renameSync(partial, target);
    });
  }
  return { classPath: [join(target, 'flink-peer-1.jar'), join(target, 'lib', '*')].join(delimiter) };
}
