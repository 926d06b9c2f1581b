import { basename, join } from 'node:path';

import type { FileLock } from '../../core/index.ts';
import { conflict } from '../conflict.ts';
import type { FencedStore, StoredValue } from '../high-availability.ts';
import { checkKey, isBelow, namesBelow } from '../keys.ts';
import { reportingFailure } from '../reporting-failure.ts';
import { openStored, sealStored, type StoredBytes } from '../stored-bytes.ts';
import type { Term } from '../term.ts';
import type { ClusterDirectory } from './cluster-directory.ts';
import type { EmbeddedPorts } from './held-job.ts';
import { readWhole, replaceWhole } from './whole-file.ts';

/**
 * The fenced store of a leader that holds the lock of the directory: the lock is the fence, as a process that is paused
 * keeps it. One call at a time.
 */
export class EmbeddedFencedStore implements FencedStore {
  readonly #directory: ClusterDirectory;
  readonly #ports: EmbeddedPorts;
  readonly #term: Term;
  readonly #lock: FileLock;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(directory: ClusterDirectory, ports: EmbeddedPorts, term: Term, lock: FileLock) {
    this.#directory = directory;
    this.#ports = ports;
    this.#term = term;
    this.#lock = lock;
  }

  read(key: string): Promise<StoredValue | null> {
    return this.inTurn('read', key, async () => {
      const stored = await this.#load(key);
      return stored === null ? null : { value: stored.value, version: stored.version };
    });
  }

  list(key: string): Promise<readonly string[]> {
    return this.inTurn('list', key, async () => namesBelow((await this.#keys()).keys(), key));
  }

  write(key: string, value: Uint8Array, expected: number | null): Promise<number> {
    return this.inTurn('write', key, async () => {
      const found = (await this.#load(key))?.version ?? null;
      if (found !== expected) throw conflict(key, found, expected);
      const version = expected === null ? 0 : expected + 1;
      const operationId = this.#ports.randomness.hex(16);
      await this.replace(this.#directory.value(key), sealStored({ key, version, operationId, value }));
      return version;
    });
  }

  remove(key: string): Promise<void> {
    return this.inTurn('remove', key, async () => {
      const { files } = this.#ports;
      const { store } = this.#directory;
      for (const [each, path] of await this.#keys()) {
        if (each === key || isBelow(each, key)) await files.remove(path);
      }
      await files.syncDirectory(store);
    });
  }

  /** Replaces any file of the directory, as the leader. Call in turn. */
  async replace(path: string, bytes: Uint8Array): Promise<void> {
    const { files } = this.#ports;
    await replaceWhole(files, path, bytes, {
      checkHeld: () => this.#checkHeld(),
      isReplaced: async () => {
        const found = await readWhole(files, path);
        return found !== null && Buffer.compare(found, bytes) === 0;
      },
    });
  }

  /** Waits for what was asked for before. */
  async settled(): Promise<void> {
    await this.#queue;
  }

  inTurn<T>(operation: string, key: string, act: () => Promise<T>): Promise<T> {
    checkKey(key);
    const what = { operation, record: key, directory: this.#directory.path };
    const turn = this.#queue.then(() =>
      reportingFailure(what, async () => {
        await this.#checkHeld();
        return act();
      }),
    );
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #checkHeld(): Promise<void> {
    this.#term.check();
    if (await this.#lock.isHeld()) return;
    throw this.#term.lose(`${this.#directory.leaderLock} was removed or replaced`);
  }

  async #load(key: string): Promise<StoredBytes | null> {
    const path = this.#directory.value(key);
    const bytes = await readWhole(this.#ports.files, path);
    return bytes === null ? null : openStored(bytes, path, key);
  }

  /** All keys, each with its file. */
  async #keys(): Promise<ReadonlyMap<string, string>> {
    const { files } = this.#ports;
    const { store } = this.#directory;
    const keys = new Map<string, string>();
    for (const name of await files.list(store)) {
      const path = join(store, basename(name));
      // What an interrupted write has left is no value.
      if (name.endsWith('.tmp')) continue;
      const bytes = await readWhole(files, path);
      if (bytes !== null) keys.set(openStored(bytes, path, null).key, path);
    }
    return keys;
  }
}
