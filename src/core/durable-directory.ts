import { dirname } from 'node:path';

import { systemErrorCode } from './errors.ts';
import type { FileSystem } from './ports.ts';

/** Makes a directory and what is missing above it, so that a crash of the machine does not take the names away. */
export async function makeDurableDirectory(files: FileSystem, path: string): Promise<void> {
  const parent = dirname(path);
  if (parent === path) return;
  const isThere = await synced(files, path, ['ENOENT']);
  if (!isThere) await makeDurableDirectory(files, parent);
  await files.makeDirectory(path);
  // What may not be read cannot be opened, which is what making it durable takes; it may be entered all the same.
  await synced(files, parent, ['EACCES', 'EPERM']);
}

async function synced(files: FileSystem, path: string, tolerated: readonly string[]): Promise<boolean> {
  try {
    await files.syncDirectory(path);
    return true;
  } catch (error) {
    if (tolerated.includes(systemErrorCode(error) ?? '')) return false;
    throw error;
  }
}
