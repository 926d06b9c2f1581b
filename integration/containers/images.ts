import { buildImages, IMAGE_NAMES } from '../../scripts/images/index.ts';
import { tell } from '../../scripts/services/index.ts';
import type { Role } from './topology.ts';

const BASE = 'debian:bookworm-slim';
const TAG = 'test';
/** Names images that are taken as they are, instead of this checkout's. */
const TAG_VARIABLE = 'MILLRACE_IMAGES';

const REPOSITORIES: Readonly<Record<Role, string>> = {
  zookeeper: 'millrace-zookeeper',
  kafka: 'millrace-kafka',
  dispatcher: 'millrace',
  taskmanager: 'millrace',
};

/** Builds what has changed since. */
export async function prepareImages(): Promise<void> {
  if (process.env[TAG_VARIABLE] === undefined) {
    await buildImages({ names: IMAGE_NAMES, base: BASE, tag: TAG, progress: tell });
  }
}

export function imageOf(role: Role): string {
  return `${REPOSITORIES[role]}:${process.env[TAG_VARIABLE] ?? TAG}`;
}
