/** Files that are read and replaced as a whole. */
import { dirname } from 'node:path';

import type { FileSystem } from '../../core/index.ts';

/** Far above what any of them holds; a larger file is not one. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Null where nothing is there. */
export async function readWhole(files: FileSystem, path: string): Promise<Uint8Array | null> {
  const info = await files.stat(path);
  if (info === null) return null;
  if (info.sizeBytes > MAX_FILE_BYTES) throw new Error(`${path} is too large for a record: ${info.sizeBytes} bytes`);
  const file = await files.open(path, 'read');
  try {
    const bytes = new Uint8Array(info.sizeBytes);
    let length = 0;
    while (length < bytes.length) {
      const count = await file.read(bytes.subarray(length), bytes.length - length, length);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}

export interface Replacing {
  /** Rejects where this process may not replace it any more. */
  readonly checkHeld: () => Promise<void>;
  /** Whether what is there now is what was to be written. */
  readonly isReplaced: () => Promise<boolean>;
}

/** The file holds the old bytes or the new ones at any time; the new ones durably when it resolves. */
export async function replaceWhole(
  files: FileSystem,
  path: string,
  bytes: Uint8Array,
  { checkHeld, isReplaced }: Replacing,
): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await files.open(temporary, 'create');
  try {
    await file.append(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  const written = await readWhole(files, temporary);
  if (written === null || Buffer.compare(written, bytes) !== 0) throw new Error('it does not read back as written');
  // The lock may have been lost meanwhile, and from here on nothing can be taken back.
  await checkHeld();
  const directory = dirname(path);
  try {
    await files.rename(temporary, path);
    await files.syncDirectory(directory);
  } catch (error) {
    // The answer is lost, not necessarily the write: what is there now decides.
    if (!(await isReplaced())) throw error;
    await files.syncDirectory(directory);
  }
}
