/* The few questions and one order that building needs of a Docker engine. */
import { execFile, spawn } from 'node:child_process';

import { ServicesError } from '../services/index.ts';

/** Standard output, or undefined where the command fails. */
function ask(args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('docker', args, { encoding: 'utf8' }, (error, stdout) => {
      resolve(error === null ? stdout.trim() : undefined);
    });
  });
}

/** Of whatever bears the name; undefined where nothing does. */
function imageId(image: string): Promise<string | undefined> {
  return ask(['image', 'inspect', '--format', '{{.Id}}', image]);
}

export function labelOf(image: string, label: string): Promise<string | undefined> {
  return ask(['image', 'inspect', '--format', `{{index .Config.Labels "${label}"}}`, image]);
}

/** Fetches the image where it is not there. Rejects with what to do where that cannot be. */
export async function ensureBase(base: string): Promise<string> {
  if ((await ask(['version', '--format', '{{.Server.Version}}'])) === undefined) {
    throw new ServicesError('no Docker engine answers: start one, or see docs/containers.md');
  }
  const id = (await imageId(base)) ?? ((await ask(['pull', '--quiet', base])) && (await imageId(base)));
  if (id === undefined || id === '') {
    throw new ServicesError(`no image ${base} here, nor to be fetched: docker/base/import.sh makes one (as root)`);
  }
  return id;
}

export interface Build {
  readonly tag: string;
  readonly folder: string;
  readonly base: string;
  readonly labels: Readonly<Record<string, string>>;
}

const SHOWN_LINES = 30;

/** With the host's network, for bases that lack what an image needs of Debian. */
export async function build({ tag, folder, base, labels }: Build): Promise<void> {
  const flags = Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]);
  const child = spawn(
    'docker',
    // A step that fails leaves no container either.
    ['build', '--force-rm', '--network', 'host', '--build-arg', `BASE=${base}`, '--tag', tag, ...flags, folder],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return;
  const end = output.trim().split('\n').slice(-SHOWN_LINES).join('\n');
  throw new ServicesError(`docker build of ${tag} failed:\n${end}`);
}
