import type { MillraceError, Ports } from '../../core/index.ts';
import type {
  Candidate,
  Contender,
  HighAvailability,
  LeaderInfo,
  Leadership,
  StopWatching,
  TaskManagerAnnouncement,
} from '../high-availability.ts';
import { announceTaskManager, watchLeader, watchTaskManagers, type AnnouncementOptions } from './announcements.ts';
import { connectByClient } from './client-connection.ts';
import { parseConnectString } from './connect-string.ts';
import type { ConnectZooKeeper } from './connection.ts';
import { ZooKeeperPaths } from './paths.ts';
import { SessionKeeper } from './session-keeper.ts';
import { ZooKeeperContender } from './zookeeper-contender.ts';

type ZooKeeperPorts = Pick<Ports, 'clock' | 'randomness'>;

export interface ZooKeeperHighAvailabilityOptions {
  /** `host:port,host:port/path`; everything of the cluster is below the path, `/millrace` where none is given. */
  readonly connect: string;
  /** The server may grant another one. 10 s by default. */
  readonly sessionTimeoutMs?: number;
  readonly auth?: { readonly scheme: 'digest'; readonly user: string; readonly password: string };
  /** Who may read and write what is made: anybody (the default), or whoever has the credentials in `auth`. */
  readonly acl?: 'world' | 'creator-all';
  readonly ports: ZooKeeperPorts;
  /** Told what goes wrong where nobody waits for an answer; it is tried again. */
  readonly onProblem?: (error: MillraceError) => void;
}

const DEFAULT_SESSION_TIMEOUT_MS = 10_000;

/** For clusters of machines. Throws MR-HA-CONNECT-STRING; what cannot be reached is tried until it can. */
export function openZooKeeperHighAvailability(options: ZooKeeperHighAvailabilityOptions): HighAvailability {
  const { connect, sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS, auth, acl, ports, onProblem } = options;
  const address = parseConnectString(connect);
  return zooKeeperHighAvailability({
    connect: connectByClient({ address, sessionTimeoutMs, auth: auth ?? null, acl: acl ?? 'world', ports }),
    address: connect,
    path: address.chroot,
    ports,
    ...(onProblem === undefined ? {} : { onProblem }),
  });
}

export interface ZooKeeperOverOptions extends Pick<ZooKeeperHighAvailabilityOptions, 'ports' | 'onProblem'> {
  readonly connect: ConnectZooKeeper;
  /** Where ZooKeeper is, for messages. */
  readonly address: string;
  /** Of the cluster. */
  readonly path: string;
}

/** The same over any client, a simulated ZooKeeper's too. */
export function zooKeeperHighAvailability(options: ZooKeeperOverOptions): HighAvailability {
  return new ZooKeeperHighAvailability(options);
}

class ZooKeeperHighAvailability implements HighAvailability {
  readonly #shared: AnnouncementOptions & { readonly address: string };
  readonly #contenders = new Set<Contender>();
  readonly #stops = new Set<StopWatching>();

  constructor({ connect, address, path, ports, onProblem }: ZooKeeperOverOptions) {
    const report = onProblem ?? (() => undefined);
    const keeper = new SessionKeeper({ connect, clock: ports.clock, address, onProblem: report });
    this.#shared = { keeper, paths: new ZooKeeperPaths(path), ports, address };
  }

  contend(candidate: Candidate, onGranted: (leadership: Leadership) => void): Contender {
    const contender = new ZooKeeperContender({ ...this.#shared, candidate, onGranted });
    this.#contenders.add(contender);
    return {
      takeOver: (leader) => contender.takeOver(leader),
      close: async () => {
        await contender.close();
        this.#contenders.delete(contender);
      },
    };
  }

  watchLeader(onChange: (leader: LeaderInfo | null) => void): StopWatching {
    return this.#stoppable(watchLeader(this.#shared, onChange));
  }

  announceTaskManager(info: TaskManagerAnnouncement): () => Promise<void> {
    return announceTaskManager(this.#shared, info);
  }

  watchTaskManagers(onChange: (taskManagers: readonly TaskManagerAnnouncement[]) => void): StopWatching {
    return this.#stoppable(watchTaskManagers(this.#shared, onChange));
  }

  async close(): Promise<void> {
    for (const stop of [...this.#stops]) stop();
    await Promise.all([...this.#contenders].map((contender) => contender.close()));
    // What was announced goes with the session.
    await this.#shared.keeper.close();
  }

  #stoppable(stop: StopWatching): StopWatching {
    const once = (): void => {
      this.#stops.delete(once);
      stop();
    };
    this.#stops.add(once);
    return once;
  }
}
