import { isMillraceError, messageOf, type Randomness } from '../../core/index.ts';
import { conflict } from '../conflict.ts';
import { haErrors } from '../errors.ts';
import type { FencedStore, StoredValue } from '../high-availability.ts';
import { checkKey, isBelow, namesBelow } from '../keys.ts';
import { openStored, sealStored, type StoredBytes } from '../stored-bytes.ts';
import type { Term } from '../term.ts';
import { failedIndex, failureOf, type ZooKeeperConnection, type ZooKeeperOperation } from './connection.ts';
import { keyOfNode, type ZooKeeperPaths } from './paths.ts';
import type { ZooKeeperSession } from './session.ts';

/** Of one multi-operation, so that it stays far below what the server takes. */
const MAX_REMOVALS = 200;

export interface FencedStoreOptions {
  readonly session: ZooKeeperSession;
  readonly paths: ZooKeeperPaths;
  readonly term: Term;
  /** Of the epoch's node, for as long as this leadership lasts. */
  readonly epochVersion: number;
  readonly randomness: Randomness;
  /** Where ZooKeeper is, for messages. */
  readonly address: string;
}

interface Attempts {
  /** Whether one of them has had no answer. */
  mayBeDone: boolean;
}

/** Every write is one multi-operation that checks the version of the epoch's node first. */
export class ZooKeeperFencedStore implements FencedStore {
  readonly #options: FencedStoreOptions;

  constructor(options: FencedStoreOptions) {
    this.#options = options;
  }

  async read(key: string): Promise<StoredValue | null> {
    checkKey(key);
    const stored = await this.#asking('read', key, null, (connection) => this.#load(connection, key));
    return stored === null ? null : { value: stored.value, version: stored.version };
  }

  async list(key: string): Promise<readonly string[]> {
    checkKey(key);
    return namesBelow(await this.#keys(key), key);
  }

  async write(key: string, value: Uint8Array, expected: number | null): Promise<number> {
    checkKey(key);
    const version = expected === null ? 0 : expected + 1;
    const operationId = this.#options.randomness.hex(16);
    const data = sealStored({ key, version, operationId, value });
    const path = this.#options.paths.value(key);
    const operation: ZooKeeperOperation =
      expected === null
        ? { kind: 'create', path, data, ephemeral: false }
        : { kind: 'set', path, data, version: expected };
    const attempts = { mayBeDone: false };
    return this.#asking('write', key, attempts, async (connection) => {
      try {
        await this.fenced(connection, [operation]);
        return version;
      } catch (error) {
        const failure = failureOf(error);
        if (failure !== 'node-exists' && failure !== 'no-node' && failure !== 'bad-version') throw error;
        const found = await this.#load(connection, key);
        // An earlier attempt, whose answer was lost, was carried out.
        if (found?.operationId === operationId) return version;
        throw this.#refusal(key, found, expected, attempts);
      }
    });
  }

  async remove(key: string): Promise<void> {
    checkKey(key);
    for (;;) {
      const keys = (await this.#keys(key)).filter((each) => each === key || isBelow(each, key));
      if (keys.length === 0) return;
      const operations = keys.slice(0, MAX_REMOVALS).map((each): ZooKeeperOperation => {
        return { kind: 'delete', path: this.#options.paths.value(each), version: null };
      });
      await this.#asking('remove', key, { mayBeDone: false }, async (connection) => {
        try {
          await this.fenced(connection, operations);
        } catch (error) {
          // By an attempt whose answer was lost, or by another call; what is left is looked for anew.
          if (failureOf(error) !== 'no-node') throw error;
        }
      });
    }
  }

  /** Carries the operations out if this leadership still holds; else rejects with MR-HA-FENCED. */
  async fenced(connection: ZooKeeperConnection, operations: readonly ZooKeeperOperation[]): Promise<void> {
    const { paths, term, epochVersion } = this.#options;
    try {
      await connection.multi([{ kind: 'check', path: paths.epoch, version: epochVersion }, ...operations]);
    } catch (error) {
      const failure = failureOf(error);
      const isFenced = (failure === 'bad-version' || failure === 'no-node') && failedIndex(error) === 0;
      if (isFenced) throw term.lose('another leads');
      throw error;
    }
  }

  #refusal(key: string, found: StoredBytes | null, expected: number | null, { mayBeDone }: Attempts): Error {
    const foundVersion = found?.version ?? null;
    // A later write of this leader may have replaced what an attempt without an answer had written.
    if (mayBeDone && foundVersion !== null && foundVersion > (expected ?? -1) + 1) {
      return this.#unavailable('write', key, 'the answer was lost, and it was written again since');
    }
    return conflict(key, foundVersion, expected);
  }

  async #load(connection: ZooKeeperConnection, key: string): Promise<StoredBytes | null> {
    const path = this.#options.paths.value(key);
    const node = await connection.getData(path);
    // The node's own version counts: it is what a write is compared with.
    return node === null ? null : { ...openStored(node.data, path, key), version: node.version };
  }

  async #keys(key: string): Promise<readonly string[]> {
    const names = await this.#asking('list', key, null, (connection) =>
      connection.getChildren(this.#options.paths.store),
    );
    return (names ?? []).map(keyOfNode);
  }

  /** Until there is an answer or the leadership is gone. `attempts` is null for what changes nothing. */
  async #asking<T>(
    operation: string,
    key: string,
    attempts: Attempts | null,
    ask: (connection: ZooKeeperConnection) => Promise<T>,
  ): Promise<T> {
    const { session, term } = this.#options;
    term.check();
    const asking = async (connection: ZooKeeperConnection): Promise<T> => {
      try {
        return await ask(connection);
      } catch (error) {
        const failure = failureOf(error);
        if (attempts !== null && (failure === 'connection-loss' || failure === 'session-ended')) {
          attempts.mayBeDone = true;
        }
        throw error;
      }
    };
    try {
      return await session.repeat(asking, term.lost);
    } catch (error) {
      if (isMillraceError(error) && error.code !== 'MR-HA-FENCED') throw error;
      const isLost = isMillraceError(error) || failureOf(error) === 'session-ended';
      if (isLost && attempts?.mayBeDone !== true) throw term.lose('its session is over');
      throw this.#unavailable(operation, key, messageOf(error), error);
    }
  }

  #unavailable(operation: string, record: string, reason: string, cause?: unknown): Error {
    const directory = `ZooKeeper at ${this.#options.address}`;
    return haErrors.create('MR-HA-UNAVAILABLE', { operation, record, directory, reason }, cause);
  }
}
