import { join } from 'node:path';

import type { FileLock, FileSystem } from '../../core/index.ts';
import type { ClusterDirectory } from './cluster-directory.ts';
import { readWhole } from './whole-file.ts';

/** A sign of life: a lock that ends with the process, beside a file that says whose it is. */
export class Member {
  readonly #files: FileSystem;
  readonly #directory: ClusterDirectory;
  readonly #guid: string;
  readonly #lock: FileLock;

  private constructor(files: FileSystem, directory: ClusterDirectory, guid: string, lock: FileLock) {
    this.#files = files;
    this.#directory = directory;
    this.#guid = guid;
    this.#lock = lock;
  }

  /** `guid` is new. Others see nothing of it before its content is complete; null where it is a lock only. */
  static async join(
    files: FileSystem,
    directory: ClusterDirectory,
    guid: string,
    content: Uint8Array | null,
  ): Promise<Member> {
    const lock = await files.lock(directory.memberLock(guid));
    if ('heldBy' in lock) throw new Error(`${directory.memberLock(guid)} is locked already`);
    if (content !== null) {
      const path = directory.member(guid);
      const file = await files.open(`${path}.tmp`, 'create');
      try {
        await file.append(content);
      } finally {
        await file.close();
      }
      await files.rename(`${path}.tmp`, path);
    }
    return new Member(files, directory, guid, lock);
  }

  async leave(): Promise<void> {
    await this.#files.remove(this.#directory.member(this.#guid));
    await removeLock(this.#files, this.#directory, this.#guid, this.#lock);
  }
}

/** Whether the process that made it lives. What it has left is removed where it does not. */
export async function isAlive(files: FileSystem, directory: ClusterDirectory, guid: string): Promise<boolean> {
  if ((await files.stat(directory.memberLock(guid))) === null) return false;
  const lock = await files.lock(directory.memberLock(guid));
  if ('heldBy' in lock) return true;
  await files.remove(directory.member(guid));
  await removeLock(files, directory, guid, lock);
  return false;
}

/** What each living member has told, by its guid, in the order of the guids. */
export async function membersAlive(
  files: FileSystem,
  directory: ClusterDirectory,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  const guids = (await files.list(directory.members)).filter((name) => !name.includes('.')).sort();
  for (const guid of guids) {
    const content = await readWhole(files, join(directory.members, guid));
    if (content !== null && (await isAlive(files, directory, guid))) found.set(guid, content);
  }
  return found;
}

async function removeLock(
  files: FileSystem,
  directory: ClusterDirectory,
  guid: string,
  lock: FileLock,
): Promise<void> {
  await lock.release();
  await files.remove(directory.memberLock(guid));
}
