import type { FileLock, FileSystem } from '../../core/index.ts';

/** A place for files that live no longer than a process. */
export interface WorkDirectory {
  /** Absolute. Below it every user makes what it needs. */
  readonly path: string;
  /** Removes it with all that is in it. */
  close(): Promise<void>;
}

const LOCK_SUFFIX = '.lock';

/**
 * Makes `<root>/<name>`, and removes what processes that died have left beside it: whoever lives holds a lock on
 * `<root>/<name>.lock`.
 */
export async function openWorkDirectory(root: string, name: string, files: FileSystem): Promise<WorkDirectory> {
  await files.makeDirectory(root);
  for (const lock of (await files.list(root)).filter((each) => each.endsWith(LOCK_SUFFIX))) {
    const abandoned = await acquired(files, `${root}/${lock}`);
    if (abandoned !== null) await removeAll(root, lock.slice(0, -LOCK_SUFFIX.length), abandoned, files);
  }
  const path = `${root}/${name}`;
  const lock = await acquired(files, path + LOCK_SUFFIX);
  if (lock === null) throw new Error(`${path} is in use`);
  await files.makeDirectory(path);
  return {
    path,
    close: async () => {
      await removeAll(root, name, lock, files);
      await files.removeEmptyDirectory(root);
    },
  };
}

async function acquired(files: FileSystem, path: string): Promise<FileLock | null> {
  const lock = await files.lock(path);
  return 'heldBy' in lock ? null : lock;
}

async function removeAll(root: string, name: string, lock: FileLock, files: FileSystem): Promise<void> {
  await files.remove(`${root}/${name}`);
  await files.remove(`${root}/${name}${LOCK_SUFFIX}`);
  await lock.release();
  // Who holds it is written beside a lock.
  await files.remove(`${root}/${name}${LOCK_SUFFIX}.pid`);
}
