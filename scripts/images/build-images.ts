import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { withFileLock, type Progress } from '../services/index.ts';
import { contentHash } from './content-hash.ts';
import { engineContext, imagesDirectory, ROOT, serviceContext } from './contexts.ts';
import { build, ensureBase, labelOf } from './docker-engine.ts';

export type ImageName = 'engine' | 'zookeeper' | 'kafka';

interface Recipe {
  readonly repository: string;
  /** What it is made of, beside its base. */
  readonly inputs: readonly string[];
  /** Resolves to the folder that it is built from. */
  readonly lay: (progress: Progress) => Promise<string>;
}

const POMS = 'scripts/services/maven';

const RECIPES: Readonly<Record<ImageName, Recipe>> = {
  engine: {
    repository: 'millrace',
    inputs: [
      'docker/engine',
      'src',
      'bin',
      'package.json',
      'package-lock.json',
      'tsconfig.json',
      'tsconfig.build.json',
    ],
    lay: engineContext,
  },
  zookeeper: {
    repository: 'millrace-zookeeper',
    inputs: ['docker/zookeeper', `${POMS}/zookeeper`],
    lay: (progress) => serviceContext('zookeeper', ['zookeeper'], progress),
  },
  kafka: {
    repository: 'millrace-kafka',
    inputs: ['docker/kafka', `${POMS}/kafka-4.1`, `${POMS}/kafka-tools`],
    lay: (progress) => serviceContext('kafka', ['kafka-4.1', 'kafka-tools'], progress),
  },
};

export const IMAGE_NAMES = Object.keys(RECIPES) as readonly ImageName[];

const CONTENT_LABEL = 'millrace.content';

export interface ImagesOptions {
  readonly names: readonly ImageName[];
  readonly base: string;
  readonly tag: string;
  readonly progress: Progress;
}

/** Resolves to the full names, in the order of `names`, once all of them are up to date. */
export async function buildImages({ names, base, tag, progress }: ImagesOptions): Promise<readonly string[]> {
  const baseId = await ensureBase(base);
  mkdirSync(imagesDirectory, { recursive: true });
  return withFileLock(join(imagesDirectory, '.lock'), async () => {
    const built: string[] = [];
    for (const name of names) {
      const { repository, inputs, lay } = RECIPES[name];
      const image = `${repository}:${tag}`;
      const content = contentHash(ROOT, inputs, [baseId]);
      if ((await labelOf(image, CONTENT_LABEL)) !== content) {
        const folder = await lay(progress);
        progress(`${name}: building ${image}`);
        await build({ tag: image, folder, base, labels: { [CONTENT_LABEL]: content } });
      }
      built.push(image);
    }
    return built;
  });
}
