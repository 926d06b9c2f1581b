import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where downloads and the state of running services live. */
export function cacheDirectory(): string {
  const configured = process.env['MILLRACE_CACHE'];
  if (configured !== undefined && configured !== '') return configured;
  return join(homedir(), '.cache', 'millrace');
}

/** One directory per set of jar files, named by artifact and hash of its pom. */
export function artifactsDirectory(): string {
  return join(cacheDirectory(), 'artifacts');
}

/** One directory per running set of services, named by its name. */
export function runDirectory(): string {
  return join(cacheDirectory(), 'run');
}
