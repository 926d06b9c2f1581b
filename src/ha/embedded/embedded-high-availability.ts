import { makeDurableDirectory, readShape, shape, toMillraceError, type MillraceError } from '../../core/index.ts';
import { Distinct, readLeader, readTaskManager, toJson } from '../announced.ts';
import type {
  Candidate,
  Contender,
  HighAvailability,
  LeaderInfo,
  Leadership,
  StopWatching,
  TaskManagerAnnouncement,
} from '../high-availability.ts';
import { parseJson } from '../parse-json.ts';
import { Pause } from '../pause.ts';
import { reportingFailure } from '../reporting-failure.ts';
import { ClusterDirectory, type EmbeddedCluster, type EmbeddedClusterPorts } from './cluster-directory.ts';
import { EmbeddedContender } from './embedded-contender.ts';
import { isAlive, Member, membersAlive } from './members.ts';
import { readWhole } from './whole-file.ts';

export interface EmbeddedHighAvailabilityOptions {
  /** Absolute, made where it is missing; of this cluster alone, on a local file system. */
  readonly directory: string;
  readonly ports: EmbeddedClusterPorts;
  /** Told what goes wrong where nobody waits for an answer; it is tried again. */
  readonly onProblem?: (error: MillraceError) => void;
}

const POLL_MS = 150;
const guidShape = shape.fields({ guid: shape.text });

/** For processes of one machine: a directory, in which locks that end with their processes say who lives. */
export function openEmbeddedHighAvailability(options: EmbeddedHighAvailabilityOptions): HighAvailability {
  return new EmbeddedHighAvailability(options);
}

class EmbeddedHighAvailability implements HighAvailability {
  readonly #cluster: EmbeddedCluster;
  /** What close() ends. */
  readonly #endings = new Set<() => Promise<void>>();

  constructor({ directory, ports, onProblem }: EmbeddedHighAvailabilityOptions) {
    this.#cluster = { directory: new ClusterDirectory(directory), ports, onProblem: onProblem ?? (() => undefined) };
  }

  contend(candidate: Candidate, onGranted: (leadership: Leadership) => void): Contender {
    const contender = new EmbeddedContender(this.#cluster, candidate, onGranted);
    const close = this.#ending(() => contender.close());
    return { takeOver: () => contender.takeOver(), close };
  }

  watchLeader(onChange: (leader: LeaderInfo | null) => void): StopWatching {
    return this.#poll(onChange, () => this.#leader());
  }

  announceTaskManager(info: TaskManagerAnnouncement): () => Promise<void> {
    const { directory, ports } = this.#cluster;
    let member: Member | null = null;
    const stop = this.#untilDone(async () => {
      await makeDurableDirectory(ports.files, directory.members);
      member = await Member.join(ports.files, directory, ports.randomness.hex(16), toJson(info));
      return true;
    });
    return this.#ending(async () => {
      await stop();
      await member?.leave();
    });
  }

  watchTaskManagers(onChange: (taskManagers: readonly TaskManagerAnnouncement[]) => void): StopWatching {
    return this.#poll(onChange, async () => {
      const { directory, ports } = this.#cluster;
      const contents = await membersAlive(ports.files, directory);
      return [...contents.values()].map(readTaskManager).filter((each) => each !== null);
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#endings].map((end) => end()));
  }

  async #leader(): Promise<LeaderInfo | null> {
    const { directory, ports } = this.#cluster;
    const bytes = await readWhole(ports.files, directory.leader);
    const leader = bytes === null ? null : readLeader(bytes);
    if (bytes === null || leader === null) return null;
    const reading = readShape(guidShape, parseJson(bytes));
    if (reading.kind === 'refused' || !(await isAlive(ports.files, directory, reading.value.guid))) return null;
    const { dispatcherId, rpcAddress, restUrl, epoch } = leader;
    return { dispatcherId, rpcAddress, restUrl, epoch };
  }

  #poll<T>(onChange: (value: T) => void, look: () => Promise<T>): StopWatching {
    const told = new Distinct(onChange);
    let isStopped = false;
    const stop = this.#untilDone(async () => {
      const value = await look();
      if (!isStopped) told.set(value);
      return false;
    });
    const end = this.#ending(stop);
    return () => {
      isStopped = true;
      void end();
    };
  }

  /** Repeats `act` until it resolves to true, or the returned function is called, which waits for its end. */
  #untilDone(act: () => Promise<boolean>): () => Promise<void> {
    const { directory, ports, onProblem } = this.#cluster;
    const pause = new Pause(ports.clock);
    const stopping = new AbortController();
    const what = { operation: 'read', record: 'what is announced', directory: directory.path };
    const running = (async (): Promise<void> => {
      while (!stopping.signal.aborted) {
        const isDone = await reportingFailure(what, act).catch((error: unknown) => onProblem(toMillraceError(error)));
        if (isDone === true) return;
        await pause.wait(POLL_MS);
      }
    })();
    return () => {
      stopping.abort();
      pause.wake();
      return running;
    };
  }

  /** Done once, by whoever is first: its owner or close(). */
  #ending(end: () => Promise<void>): () => Promise<void> {
    let ended: Promise<void> | null = null;
    const once = (): Promise<void> => {
      ended ??= end().finally(() => this.#endings.delete(once));
      return ended;
    };
    this.#endings.add(once);
    return once;
  }
}
