/*
 * npm run images: the images of the engine, of ZooKeeper and of Kafka, for compose.yaml and for the suites in
 * containers. An image whose content has not changed is not built again. Their names are printed on standard output.
 */
import { parseArgs } from 'node:util';

import { buildImages, IMAGE_NAMES, type ImageName } from './images/index.ts';
import { runProgram, tell, usageErrorOf } from './services/index.ts';

const USAGE = `usage: npm run --silent images -- [${IMAGE_NAMES.join('|')}…] [options]

  --base IMAGE   an image of Debian 12 (default: debian:bookworm-slim; docker/base/import.sh makes it offline)
  --tag TAG      (default: local)
`;

const usageError = usageErrorOf(USAGE);

function isImageName(name: string): name is ImageName {
  return IMAGE_NAMES.some((each) => each === name);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      base: { type: 'string', default: 'debian:bookworm-slim' },
      tag: { type: 'string', default: 'local' },
    },
  });
  const names = positionals.length === 0 ? IMAGE_NAMES : positionals.filter(isImageName);
  const unknown = positionals.find((name) => !isImageName(name));
  if (unknown !== undefined) throw usageError(`unknown image ${unknown}`);
  const images = await buildImages({ names, base: values.base, tag: values.tag, progress: tell });
  for (const image of images) process.stdout.write(`${image}\n`);
  return 0;
}

await runProgram(main);
