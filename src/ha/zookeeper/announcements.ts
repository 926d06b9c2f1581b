import type { Clock, Randomness } from '../../core/index.ts';
import { Distinct, readLeader, readTaskManager, toJson } from '../announced.ts';
import type { LeaderInfo, StopWatching, TaskManagerAnnouncement } from '../high-availability.ts';
import { Pause } from '../pause.ts';
import { failureOf, type ZooKeeperConnection, type ZooKeeperNode } from './connection.ts';
import { ensureNodes } from './ensure-nodes.ts';
import type { ZooKeeperPaths } from './paths.ts';
import type { SessionKeeper } from './session-keeper.ts';
import type { ZooKeeperSession } from './session.ts';

/** For as long as the answer to a withdrawal may take; after that the end of the session removes it. */
const WITHDRAW_TIMEOUT_MS = 2_000;

export interface AnnouncementOptions {
  readonly keeper: SessionKeeper;
  readonly paths: ZooKeeperPaths;
  readonly ports: { readonly clock: Clock; readonly randomness: Randomness };
}

export function watchLeader(
  options: AnnouncementOptions,
  onChange: (leader: LeaderInfo | null) => void,
): StopWatching {
  const { leader: path } = options.paths;
  // Makes no nodes: whoever only asks for a leader may have been given the path of no cluster.
  const prepare = (): Promise<void> => Promise.resolve();
  return follow(options, onChange, prepare, async (connection, wake) => {
    // The watch is set before anything is read: what changes after that is told.
    if (!(await connection.exists(path, wake))) return null;
    const node = await connection.getData(path);
    return node === null ? null : readLeader(node.data);
  });
}

export function watchTaskManagers(
  options: AnnouncementOptions,
  onChange: (taskManagers: readonly TaskManagerAnnouncement[]) => void,
): StopWatching {
  const { paths } = options;
  /** By name; a node never changes. */
  let known = new Map<string, ZooKeeperNode>();
  const prepare = (session: ZooKeeperSession): Promise<void> => ensureNodes(session, paths);
  return follow(options, onChange, prepare, async (connection, wake) => {
    const names = (await connection.getChildren(paths.taskManagers, wake)) ?? [];
    const found = new Map<string, ZooKeeperNode>();
    for (const name of names) {
      const node = known.get(name) ?? (await connection.getData(paths.announced(name)));
      if (node !== null) found.set(name, node);
    }
    known = found;
    return newestOfEach([...found.values()]);
  });
}

/** A TaskManager whose session was lost stands there twice until the server has ended that. */
function newestOfEach(nodes: readonly ZooKeeperNode[]): readonly TaskManagerAnnouncement[] {
  const newest = new Map<string, TaskManagerAnnouncement>();
  for (const { data } of [...nodes].sort((a, b) => (a.createdBy < b.createdBy ? -1 : 1))) {
    const info = readTaskManager(data);
    if (info !== null) newest.set(info.taskManagerId, info);
  }
  return [...newest.values()];
}

/** Where a TaskManager is announced now. */
interface Present {
  readonly session: ZooKeeperSession;
  readonly path: string;
  /** Resolves once it is. */
  readonly made: Promise<void>;
}

export function announceTaskManager(
  { keeper, paths, ports }: AnnouncementOptions,
  info: TaskManagerAnnouncement,
): () => Promise<void> {
  const withdrawing = new AbortController();
  let present: Present | null = null;
  const stop = keeper.run(async (session) => {
    await ensureNodes(session, paths);
    if (withdrawing.signal.aborted) return;
    const path = paths.taskManager(info.taskManagerId, ports.randomness.hex(16));
    const made = session.repeat(async (connection) => {
      // There already where only the answer was lost.
      await connection.create(path, toJson(info), 'ephemeral').catch(unless('node-exists'));
    });
    present = { session, path, made };
    await made;
  });
  return async () => {
    stop();
    withdrawing.abort();
    if (present === null) return;
    const { session, path, made } = present;
    const removed = made
      .then(() => session.repeat((connection) => connection.delete(path, null)))
      // Whatever else it is: the node goes with the session.
      .catch(() => undefined);
    const timeout = new Pause(ports.clock);
    await Promise.race([removed, timeout.wait(WITHDRAW_TIMEOUT_MS)]);
    timeout.wake();
  };
}

/** Looks again whenever a watch wakes it, and with every new connection. */
function follow<T>(
  { keeper, ports }: AnnouncementOptions,
  onChange: (value: T) => void,
  prepare: (session: ZooKeeperSession) => Promise<void>,
  look: (connection: ZooKeeperConnection, wake: () => void) => Promise<T>,
): StopWatching {
  const stopping = new AbortController();
  const told = new Distinct((value: T) => {
    if (!stopping.signal.aborted) onChange(value);
  });
  const pause = new Pause(ports.clock);
  const wake = (): void => pause.wake();
  const stop = keeper.run(async (session) => {
    await prepare(session);
    const stopWaking = session.onConnected(wake);
    session.ended.addEventListener('abort', wake, { once: true });
    try {
      while (!stopping.signal.aborted && !session.ended.aborted) {
        told.set(await session.repeat((connection) => look(connection, wake)));
        await pause.wait(Infinity);
      }
    } finally {
      stopWaking();
    }
  });
  return () => {
    stop();
    stopping.abort();
    wake();
  };
}

function unless(tolerated: string): (error: unknown) => void {
  return (error) => {
    if (failureOf(error) !== tolerated) throw error;
  };
}
