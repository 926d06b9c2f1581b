/**
 * The election. Each candidate has an ephemeral sequential node and waits for the one before it to go; the first raises
 * the epoch, in one multi-operation that checks its own node, and leads. Whom the epoch names leads for as long as its
 * node is there, even if others are before it: that is how a leadership is taken over (`takeOver`). The epoch is raised
 * before anything is read, in the session in which it is read then.
 */
import type { Clock, Randomness } from '../../core/index.ts';
import { readLeader, toJson } from '../announced.ts';
import type { Candidate, Contender, LeaderInfo, Leadership } from '../high-availability.ts';
import { Pause } from '../pause.ts';
import { Term } from '../term.ts';
import { failureOf, type ZooKeeperOperation } from './connection.ts';
import { ensureNodes } from './ensure-nodes.ts';
import { readEpoch, type Epoch, type StoredEpoch } from './epoch.ts';
import { electionNodes, type ElectionNode, type ZooKeeperPaths } from './paths.ts';
import type { SessionKeeper } from './session-keeper.ts';
import type { ZooKeeperSession } from './session.ts';
import { ZooKeeperFencedStore } from './zookeeper-fenced-store.ts';

/** After which a leader that was deposed contends again: others come first. */
const DEPOSED_PAUSE_MS = 10_000;
/** A candidate that withdraws waits no longer for ZooKeeper; its node goes with the session then. */
const CLOSE_TIMEOUT_MS = 2_000;

export interface ContenderOptions {
  readonly keeper: SessionKeeper;
  readonly paths: ZooKeeperPaths;
  readonly ports: { readonly clock: Clock; readonly randomness: Randomness };
  /** Where ZooKeeper is, for messages. */
  readonly address: string;
  readonly candidate: Candidate;
  readonly onGranted: (leadership: Leadership) => void;
}

/** A candidacy under way. */
interface Candidacy {
  readonly session: ZooKeeperSession;
  readonly guid: string;
  /** Aborts with it. */
  readonly over: AbortSignal;
}

export class ZooKeeperContender implements Contender {
  readonly #options: ContenderOptions;
  readonly #stop: () => void;
  readonly #closing = new AbortController();
  readonly #pause: Pause;
  #candidacy: Candidacy | null = null;
  #term: Term | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ContenderOptions) {
    this.#options = options;
    this.#pause = new Pause(options.ports.clock);
    this.#stop = options.keeper.run((session) => {
      this.#running = this.#contend(session);
      return this.#running;
    });
  }

  async takeOver(leader: LeaderInfo): Promise<void> {
    const candidacy = this.#candidacy;
    if (candidacy === null || this.#term !== null) return;
    const { paths, candidate } = this.#options;
    try {
      await candidacy.session.repeat(async (connection) => {
        const own = await this.#ownNode(candidacy);
        const epoch = await readEpoch(connection, paths);
        if (own === null || epoch.epoch !== leader.epoch || epoch.dispatcherId !== leader.dispatcherId) return;
        if (epoch.electionNode === own.name) return;
        await connection.multi([
          ...raising(paths, epoch, own, candidate),
          { kind: 'delete', path: paths.electionNode(epoch.electionNode), version: null },
        ]);
      }, candidacy.over);
    } catch (error) {
      // Whoever the epoch names by now leads; nodes that went with their session are waited for no longer anyway.
      const failure = failureOf(error);
      const isDecided = failure !== null && failure !== 'not-authorised' && failure !== 'other';
      if (!isDecided && !candidacy.over.aborted) throw error;
    } finally {
      this.#pause.wake();
    }
  }

  async close(): Promise<void> {
    this.#stop();
    this.#term?.lose('it has withdrawn');
    this.#closing.abort();
    this.#pause.wake();
    const timeout = new Pause(this.#options.ports.clock);
    await Promise.race([this.#running.catch(() => undefined), timeout.wait(CLOSE_TIMEOUT_MS)]);
    timeout.wake();
  }

  /** Until the session is over. */
  async #contend(session: ZooKeeperSession): Promise<void> {
    await ensureNodes(session, this.#options.paths);
    const wake = (): void => this.#pause.wake();
    session.ended.addEventListener('abort', wake, { once: true });
    const stopWaking = session.onConnected(wake);
    try {
      while (!this.#closing.signal.aborted && !session.ended.aborted) {
        const wasDeposed = await this.#takePart(session);
        if (wasDeposed) await this.#rest(session);
      }
    } finally {
      stopWaking();
    }
  }

  async #rest(session: ZooKeeperSession): Promise<void> {
    const { clock } = this.#options.ports;
    const endMs = clock.monotonicMs() + DEPOSED_PAUSE_MS;
    while (!this.#closing.signal.aborted && !session.ended.aborted) {
      const leftMs = endMs - clock.monotonicMs();
      if (leftMs <= 0) return;
      await this.#pause.wait(leftMs);
    }
  }

  /** Takes part until it has led or its node is gone; resolves to whether somebody else took that away. */
  async #takePart(session: ZooKeeperSession): Promise<boolean> {
    const over = new AbortController();
    const candidacy = { session, guid: this.#options.ports.randomness.hex(16), over: over.signal };
    this.#candidacy = candidacy;
    try {
      await this.#enter(candidacy);
      const epoch = await this.#turn(candidacy);
      return epoch === null ? !this.#closing.signal.aborted : await this.#lead(session, epoch);
    } finally {
      this.#candidacy = null;
      over.abort();
      await this.#leave(candidacy);
    }
  }

  /** Makes the node of this candidacy, once: where the answer is lost it is looked for. */
  async #enter(candidacy: Candidacy): Promise<void> {
    const { paths, candidate } = this.#options;
    const path = paths.candidate(candidate.dispatcherId, candidacy.guid);
    await candidacy.session.repeat(async (connection) => {
      for (const node of await this.#nodes(candidacy.session)) {
        if (node.dispatcherId !== candidate.dispatcherId) continue;
        if (node.guid === candidacy.guid) return;
        // Of a session of ours that is over, or of a create whose answer came never: it would be waited for.
        await connection.delete(paths.electionNode(node.name), null).catch(unlessGone);
      }
      await connection.create(path, new Uint8Array(), 'ephemeral-sequential');
    });
  }

  /** Resolves to the epoch that it was granted; null where it has lost its node, or is to end. */
  async #turn(candidacy: Candidacy): Promise<StoredEpoch | null> {
    const { paths, candidate } = this.#options;
    const { session } = candidacy;
    while (!this.#closing.signal.aborted) {
      const nodes = await this.#nodes(session);
      const own = nodes.find(({ guid }) => guid === candidacy.guid);
      if (own === undefined) return null;
      const epoch = await session.repeat((connection) => readEpoch(connection, paths));
      if (epoch.electionNode === own.name) return epoch;
      const awaited = nodes[nodes.indexOf(own) - 1] ?? nodes.find(({ name }) => name === epoch.electionNode);
      if (awaited !== undefined) {
        const path = paths.electionNode(awaited.name);
        const isThere = await session.repeat((connection) => connection.exists(path, () => this.#pause.wake()));
        if (isThere) await this.#pause.wait(Infinity);
        continue;
      }
      try {
        await session.connection.multi(raising(paths, epoch, own, candidate));
      } catch (error) {
        // What stands there now decides, whatever the answer was.
        const failure = failureOf(error);
        if (failure !== 'connection-loss' && failure !== 'bad-version' && failure !== 'no-node') throw error;
      }
    }
    return null;
  }

  async #lead(session: ZooKeeperSession, epoch: StoredEpoch): Promise<boolean> {
    const { paths, ports, address, candidate, onGranted } = this.#options;
    const term = new Term(epoch.epoch);
    const storeOptions = { session, paths, term, address, epochVersion: epoch.version, randomness: ports.randomness };
    const store = new ZooKeeperFencedStore(storeOptions);
    const published = toJson({ ...candidate, epoch: term.epoch } satisfies LeaderInfo);
    const stops = [
      session.onSilent(() => term.lose('ZooKeeper has been silent for two thirds of the session')),
      session.onConnected(() => void this.#watchEpoch(session, term, epoch.version)),
    ];
    const onEnd = (): void => void term.lose('its session with ZooKeeper is over');
    session.ended.addEventListener('abort', onEnd, { once: true });
    this.#term = term;
    try {
      if (this.#closing.signal.aborted) return false;
      void this.#watchEpoch(session, term, epoch.version);
      const publish = (): Promise<void> => this.#publish(session, term, store, published);
      onGranted({ epoch: term.epoch, store, lost: term.lost, publish });
      await term.ended();
    } finally {
      this.#term = null;
      for (const stop of stops) stop();
      session.ended.removeEventListener('abort', onEnd);
      term.lose('it has ended');
    }
    await this.#withdraw(session, term.epoch);
    return (await this.#epochNow(session)) !== epoch.version;
  }

  /** Learns at once that another leads; the fence does not depend on it. */
  async #watchEpoch(session: ZooKeeperSession, term: Term, version: number): Promise<void> {
    const { paths } = this.#options;
    if (term.lost.aborted) return;
    const again = (): void => void this.#watchEpoch(session, term, version);
    const node = await session.connection.getData(paths.epoch, again).catch(() => undefined);
    if (node === undefined) return;
    if (node?.version !== version) term.lose('another leads');
  }

  async #publish(
    session: ZooKeeperSession,
    term: Term,
    store: ZooKeeperFencedStore,
    published: Uint8Array,
  ): Promise<void> {
    const { leader: path } = this.#options.paths;
    for (;;) {
      term.check();
      try {
        await session.repeat(async (connection) => {
          const found = await connection.getData(path);
          if (found !== null && Buffer.compare(found.data, published) === 0) return;
          const operations: ZooKeeperOperation[] = [{ kind: 'create', path, data: published, ephemeral: true }];
          if (found !== null) operations.unshift({ kind: 'delete', path, version: found.version });
          await store.fenced(connection, operations);
        }, term.lost);
        return;
      } catch (error) {
        const failure = failureOf(error);
        if (failure === 'session-ended') throw term.lose('its session with ZooKeeper is over');
        // That of an earlier leader went, or came, meanwhile.
        if (failure !== 'no-node' && failure !== 'node-exists' && failure !== 'bad-version') throw error;
      }
    }
  }

  async #withdraw(session: ZooKeeperSession, epoch: number): Promise<void> {
    const { leader: path } = this.#options.paths;
    await session.repeat(async (connection) => {
      const found = await connection.getData(path);
      if (found === null || readLeader(found.data)?.epoch !== epoch) return;
      await connection.delete(path, found.version).catch(unlessGone);
    });
  }

  async #leave(candidacy: Candidacy): Promise<void> {
    const { session } = candidacy;
    try {
      await session.repeat(async (connection) => {
        const own = await this.#ownNode(candidacy);
        if (own === null) return;
        await connection.delete(this.#options.paths.electionNode(own.name), null).catch(unlessGone);
      });
    } catch (error) {
      // The server removes it with the session.
      if (failureOf(error) !== 'session-ended') throw error;
    }
  }

  async #ownNode(candidacy: Candidacy): Promise<ElectionNode | null> {
    const nodes = await this.#nodes(candidacy.session);
    return nodes.find(({ guid }) => guid === candidacy.guid) ?? null;
  }

  async #nodes(session: ZooKeeperSession): Promise<readonly ElectionNode[]> {
    const { election } = this.#options.paths;
    return electionNodes((await session.repeat((connection) => connection.getChildren(election))) ?? []);
  }

  async #epochNow(session: ZooKeeperSession): Promise<number> {
    const { paths } = this.#options;
    return (await session.repeat((connection) => readEpoch(connection, paths))).version;
  }
}

function raising(
  paths: ZooKeeperPaths,
  last: StoredEpoch,
  own: ElectionNode,
  candidate: Candidate,
): readonly ZooKeeperOperation[] {
  const next: Epoch = { epoch: last.epoch + 1, dispatcherId: candidate.dispatcherId, electionNode: own.name };
  return [
    { kind: 'check', path: paths.electionNode(own.name), version: null },
    { kind: 'set', path: paths.epoch, data: toJson(next), version: last.version },
  ];
}

function unlessGone(error: unknown): void {
  if (failureOf(error) !== 'no-node') throw error;
}
