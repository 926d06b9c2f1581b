/**
 * What our session layer needs of a ZooKeeper client, so that a simulated ZooKeeper can stand beneath it. One object is
 * one session: once that is over, it stays over, and a new one is made.
 */

export interface ZooKeeperNode {
  readonly data: Uint8Array;
  /** Counted from 0, raised by every setData. */
  readonly version: number;
  /** The transaction that made the node: later ones are larger. */
  readonly createdBy: bigint;
}

/** An operation of a multi. Versions are exact, 0 too; null for any version. */
export type ZooKeeperOperation =
  | { readonly kind: 'check'; readonly path: string; readonly version: number | null }
  | { readonly kind: 'create'; readonly path: string; readonly data: Uint8Array; readonly ephemeral: boolean }
  | { readonly kind: 'set'; readonly path: string; readonly data: Uint8Array; readonly version: number | null }
  | { readonly kind: 'delete'; readonly path: string; readonly version: number | null };

export type ZooKeeperFailure =
  /** No answer: the operation may have been carried out. */
  | 'connection-loss'
  /** The session is over, closed or expired. */
  | 'session-ended'
  | 'no-node'
  | 'node-exists'
  | 'bad-version'
  | 'not-empty'
  /** Refused for what this client is, or how it proves that. */
  | 'not-authorised'
  | 'other';

export class ZooKeeperError extends Error {
  readonly failure: ZooKeeperFailure;
  /** Which operation of a multi failed; 0 for single ones. */
  readonly index: number;

  constructor(failure: ZooKeeperFailure, message: string, index = 0) {
    super(message);
    this.failure = failure;
    this.index = index;
  }
}

/** How a call failed; null where it is no failure of ZooKeeper. Told by its shape: realms differ under test runners. */
export function failureOf(error: unknown): ZooKeeperFailure | null {
  return isFailure(error) ? error.failure : null;
}

/** Which operation of a multi failed. */
export function failedIndex(error: unknown): number {
  return isFailure(error) ? error.index : 0;
}

function isFailure(error: unknown): error is ZooKeeperError {
  return typeof error === 'object' && error !== null && 'failure' in error && 'index' in error;
}

export type ZooKeeperState =
  /** The session goes on, or has begun. Watches end with the connection: everything is to be read anew. */
  | 'connected'
  /** It may come back. */
  | 'disconnected'
  /** It never comes back: expired, or closed. */
  | 'ended'
  /** The credentials are refused; it never comes back. */
  | 'refused';

/**
 * Calls reject with a ZooKeeperError. While there is no connection they reject at once (connection-loss), none is kept
 * for later. A call may stay without an answer for as long as the link is silent: whoever calls ends that by
 * reconnect(). Calls are carried out in the order in which they are made.
 */
export interface ZooKeeperConnection {
  readonly state: ZooKeeperState | 'connecting';
  /** As the server has granted it. */
  readonly sessionTimeoutMs: number;
  /** Resolves to the path, with the number that was appended where it is sequential. */
  create(path: string, data: Uint8Array, mode: 'persistent' | 'ephemeral' | 'ephemeral-sequential'): Promise<string>;
  /** Resolves to the new version. */
  setData(path: string, data: Uint8Array, version: number | null): Promise<number>;
  delete(path: string, version: number | null): Promise<void>;
  /** All of them, or none. */
  multi(operations: readonly ZooKeeperOperation[]): Promise<void>;
  /** Null where nothing is there. `onChange` is called at most once; only where the call resolves to a node. */
  getData(path: string, onChange?: () => void): Promise<ZooKeeperNode | null>;
  /** Names, in any order; null where there is no such node, and then nothing is watched. */
  getChildren(path: string, onChange?: () => void): Promise<readonly string[] | null>;
  /** `onChange` is called at most once, when it is made, changed or removed. */
  exists(path: string, onChange?: () => void): Promise<boolean>;
  /** Drops the connection, which may be a dead one, and makes another in the same session. */
  reconnect(): void;
  /** Ends the session, at the server too if it can be reached soon. Nothing is called back any more. */
  close(): Promise<void>;
}

/** Begins a session. Never throws: what cannot be reached is tried on. */
export type ConnectZooKeeper = (onState: (state: ZooKeeperState) => void) => ZooKeeperConnection;
