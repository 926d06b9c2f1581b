/*
 * The way without Java: the public images, on the host's network, with the very files that the Java way uses. A
 * container runs as the calling user, so that what it writes can be removed.
 */
import { execFile } from 'node:child_process';

import { ServicesError } from './errors.ts';

function docker(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('docker', args, { encoding: 'utf8', env: process.env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim());
      else reject(new ServicesError(`docker ${args[0] ?? ''}: ${stderr.trim() || error.message}`));
    });
  });
}

export interface ContainerOptions {
  name: string;
  image: string;
  /** Mounted at the same path inside. */
  directories: readonly string[];
  /** Run by `sh -c`. */
  script: string;
  /** Returns when it has ended, with its output, instead of leaving it running. */
  wait?: boolean;
}

export async function runContainer(options: ContainerOptions): Promise<string> {
  const userId = process.getuid?.();
  const user = userId === undefined ? [] : ['--user', `${String(userId)}:${String(process.getgid?.() ?? 0)}`];
  return docker([
    'run',
    ...(options.wait === true ? ['--rm'] : ['--detach']),
    '--name',
    options.name,
    '--label',
    'millrace.services=true',
    '--network',
    'host',
    ...user,
    ...options.directories.flatMap((directory) => ['--volume', `${directory}:${directory}`]),
    '--entrypoint',
    'sh',
    options.image,
    '-c',
    options.script,
  ]);
}

export async function isContainerRunning(name: string): Promise<boolean> {
  try {
    return (await docker(['inspect', '--format', '{{.State.Running}}', name])) === 'true';
  } catch {
    return false;
  }
}

export async function containerLog(name: string): Promise<string> {
  try {
    return await docker(['logs', '--tail', '20', name]);
  } catch {
    return '';
  }
}

export async function killContainer(name: string, signal: string): Promise<void> {
  await docker(['kill', '--signal', signal, name]);
}

/** Stops within the grace, or by force, and removes. A container that is not there is stopped. */
export async function removeContainer(name: string, graceSeconds = 10): Promise<void> {
  if (await isContainerRunning(name)) await docker(['stop', '--time', String(graceSeconds), name]);
  await docker(['rm', '--force', name]).catch(() => undefined);
}
