/**
 * Who leads, and what must survive whoever leads (docs/design/018). Two implementations pass one contract suite:
 * `zookeeper/` and `embedded/` (a directory, for processes of one machine).
 */

/** A Dispatcher that may lead. */
export interface Candidate {
  /** Made by chance at its start: another process never has it. */
  readonly dispatcherId: string;
  /** Where its gateways are served: `host:port`. */
  readonly rpcAddress: string;
  /** Where its REST API is served, with the scheme. */
  readonly restUrl: string;
}

export interface LeaderInfo extends Candidate {
  readonly epoch: number;
}

/** A value of the fenced store. */
export interface StoredValue {
  readonly value: Uint8Array;
  /** Raised by one at every write; from 0. */
  readonly version: number;
}

/**
 * What one leader reads and writes. Keys are `/`-separated names, of which no part is empty; any text may be a part.
 * Every write checks the epoch in the same multi-operation: once another leads it is refused (MR-HA-FENCED) and has no
 * effect. Where an answer is lost the store reads back first, and rejects with MR-HA-UNAVAILABLE only where the outcome
 * cannot be learnt.
 */
export interface FencedStore {
  /** Null where nothing is stored. */
  read(key: string): Promise<StoredValue | null>;
  /** The names directly below a key, in any order; none where there is no such key. */
  list(key: string): Promise<readonly string[]>;
  /**
   * Writes if the stored version is still `expected` (null: if there is none) and resolves to the new version, durable.
   * Rejects with MR-HA-CONFLICT where it is not. At most 512 KiB.
   */
  write(key: string, value: Uint8Array, expected: number | null): Promise<number>;
  /** With everything below it. Harmless where nothing is stored. */
  remove(key: string): Promise<void>;
}

/** One term of leading. Never comes back once it is over. */
export interface Leadership {
  /** Larger than those of all leaderships before. */
  readonly epoch: number;
  /** Everything that earlier leaders have written can be read in it. */
  readonly store: FencedStore;
  /** Aborts once the leadership is gone, or may be: with MR-HA-FENCED as its reason. */
  readonly lost: AbortSignal;
  /**
   * Lets others find this leader: the last thing that a new leader does. Rejects with MR-HA-FENCED where it is not one
   * any more.
   */
  publish(): Promise<void>;
}

export interface Contender {
  /**
   * Takes the leadership over from a leader that is known to be dead, without waiting for the end of its session.
   * Harmless where `leader` does not lead any more. Resolves when that is decided; if it succeeds, `onGranted` follows.
   */
  takeOver(leader: LeaderInfo): Promise<void>;
  /** Ends the candidacy, and the leadership with it: others need not wait for the end of its session. */
  close(): Promise<void>;
}

/** Follows something that changes; ends it. */
export type StopWatching = () => void;

/** A connection to the place where all this is kept. */
export interface HighAvailability {
  /**
   * Takes part in the election until the contender is closed. `onGranted` is called once per leadership of this
   * candidate; after one was lost it contends again by itself.
   */
  contend(candidate: Candidate, onGranted: (leadership: Leadership) => void): Contender;
  /**
   * Calls back soon with the leader that is published, or null, and then at every change; changes in quick succession
   * may be one call, the last state is never missed. While the store cannot be reached the last known leader stands.
   */
  watchLeader(onChange: (leader: LeaderInfo | null) => void): StopWatching;
  /**
   * Lets others see that a TaskManager is there, until the returned function is called, or its process is gone for
   * longer than its session. A hint: nothing fails by it. Made again after a lost session.
   */
  announceTaskManager(info: TaskManagerAnnouncement): () => Promise<void>;
  /** As announced, in any order; calls back like watchLeader. */
  watchTaskManagers(onChange: (taskManagers: readonly TaskManagerAnnouncement[]) => void): StopWatching;
  /** Ends all of the above; candidates and announcements are withdrawn. */
  close(): Promise<void>;
}

export interface TaskManagerAnnouncement {
  readonly taskManagerId: string;
  readonly address: string;
  readonly slotCount: number;
  readonly rack: string | null;
  readonly host: string | null;
}
