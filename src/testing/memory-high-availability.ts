import { haErrors } from '../ha/index.ts';
import type {
  Candidate,
  Contender,
  FencedStore,
  HighAvailability,
  LeaderInfo,
  Leadership,
  StoredValue,
  TaskManagerAnnouncement,
} from '../ha/index.ts';

interface Candidacy {
  readonly candidate: Candidate;
  readonly onGranted: (leadership: Leadership) => void;
  /** The sessions of those that are not have ended once it is their turn. */
  readonly isAlive: () => boolean;
}

interface Term {
  readonly epoch: number;
  readonly candidacy: Candidacy;
  readonly lost: AbortController;
}

/** An election in memory, in which sessions end when a test says so. Whoever contends first leads first. */
export class MemoryElection {
  readonly #values = new Map<string, StoredValue>();
  readonly #candidacies = new Set<Candidacy>();
  readonly #leaderListeners = new Set<(leader: LeaderInfo | null) => void>();
  readonly #announced = new Set<TaskManagerAnnouncement>();
  readonly #announcementListeners = new Set<(all: readonly TaskManagerAnnouncement[]) => void>();
  #epoch = 0;
  #term: Term | null = null;
  #leader: LeaderInfo | null = null;
  /** Writes of the store so far. */
  writes = 0;

  /** What one process sees of it. */
  open(): MemoryHighAvailability {
    return new MemoryHighAvailability(this);
  }

  get leader(): LeaderInfo | null {
    return this.#leader;
  }

  /** Whoever leads does not any more; the next candidate does. */
  depose(): void {
    const term = this.#term;
    if (term === null) return;
    // It comes last.
    if (this.#candidacies.delete(term.candidacy)) this.#candidacies.add(term.candidacy);
    this.#end(term, 'its session has ended');
  }

  contend(candidacy: Candidacy): Contender {
    this.#candidacies.add(candidacy);
    this.#elect();
    return {
      takeOver: async (leader) => {
        const term = this.#term;
        if (term === null || term.epoch !== leader.epoch || !this.#candidacies.delete(candidacy)) return;
        const others = [...this.#candidacies].filter((each) => each !== term.candidacy);
        this.#candidacies.clear();
        for (const each of [candidacy, ...others, term.candidacy]) this.#candidacies.add(each);
        this.#end(term, 'another one has taken over');
      },
      close: async () => {
        this.#candidacies.delete(candidacy);
        if (this.#term?.candidacy === candidacy) this.#end(this.#term, 'it has withdrawn');
      },
    };
  }

  /** Calls back later, as from another process. */
  watchLeader(onChange: (leader: LeaderInfo | null) => void): () => void {
    this.#leaderListeners.add(onChange);
    this.#tell(onChange, () => this.#leader);
    return () => this.#leaderListeners.delete(onChange);
  }

  announce(info: TaskManagerAnnouncement): () => void {
    this.#announced.add(info);
    this.#announcementsChanged();
    return () => {
      this.#announced.delete(info);
      this.#announcementsChanged();
    };
  }

  watchTaskManagers(onChange: (all: readonly TaskManagerAnnouncement[]) => void): () => void {
    this.#announcementListeners.add(onChange);
    this.#tell(onChange, () => [...this.#announced]);
    return () => this.#announcementListeners.delete(onChange);
  }

  #announcementsChanged(): void {
    for (const listener of this.#announcementListeners) this.#tell(listener, () => [...this.#announced]);
  }

  #tell<T>(listener: (value: T) => void, read: () => T): void {
    void Promise.resolve().then(() => {
      listener(read());
    });
  }

  #elect(): void {
    const candidacy = [...this.#candidacies].find(({ isAlive }) => isAlive());
    if (this.#term !== null || candidacy === undefined) return;
    const term: Term = { epoch: ++this.#epoch, candidacy, lost: new AbortController() };
    this.#term = term;
    const { epoch, lost } = term;
    const publish = async (): Promise<void> => {
      this.#check(term);
      this.#publish({ ...candidacy.candidate, epoch });
    };
    const leadership: Leadership = { epoch, store: this.#storeOf(term), lost: lost.signal, publish };
    void Promise.resolve().then(() => {
      if (!lost.signal.aborted) candidacy.onGranted(leadership);
    });
  }

  #end(term: Term, reason: string): void {
    this.#term = null;
    this.#publish(null);
    term.lost.abort(haErrors.create('MR-HA-FENCED', { role: 'leads the cluster', reason }));
    this.#elect();
  }

  #publish(leader: LeaderInfo | null): void {
    this.#leader = leader;
    for (const listener of this.#leaderListeners) this.#tell(listener, () => this.#leader);
  }

  #check({ lost }: Term): void {
    lost.signal.throwIfAborted();
  }

  #storeOf(term: Term): FencedStore {
    const asked = async <T>(work: () => T): Promise<T> => {
      await Promise.resolve();
      this.#check(term);
      return work();
    };
    return {
      read: (key) => asked(() => structuredClone(this.#values.get(key) ?? null)),
      list: (key) =>
        asked(() => {
          const below = [...this.#values.keys()].filter((each) => each.startsWith(`${key}/`));
          return [...new Set(below.map((each) => each.slice(key.length + 1).split('/', 1)[0] as string))];
        }),
      write: (key, value, expected) =>
        asked(() => {
          const found = this.#values.get(key)?.version ?? null;
          if (found !== expected) {
            const versions = { found: found ?? 'none', expected: expected ?? 'none' };
            throw haErrors.create('MR-HA-CONFLICT', { record: key, ...versions });
          }
          const version = expected === null ? 0 : expected + 1;
          this.#values.set(key, { value: Uint8Array.from(value), version });
          this.writes++;
          return version;
        }),
      remove: (key) =>
        asked(() => {
          for (const each of [...this.#values.keys()]) {
            if (each === key || each.startsWith(`${key}/`)) this.#values.delete(each);
          }
        }),
    };
  }
}

/** One process's connection to a MemoryElection. */
export class MemoryHighAvailability implements HighAvailability {
  readonly #election: MemoryElection;
  readonly #endings = new Set<() => unknown>();
  #isFrozen = false;

  constructor(election: MemoryElection) {
    this.#election = election;
  }

  /** The process is killed, or stops for ever: it neither asks nor hears anything any more, and keeps what it has. */
  freeze(): void {
    this.#isFrozen = true;
  }

  contend(candidate: Candidate, onGranted: (leadership: Leadership) => void): Contender {
    const contender = this.#election.contend({
      candidate,
      isAlive: () => !this.#isFrozen,
      onGranted: this.#unlessFrozen((granted) => onGranted({ ...granted, store: this.#freezable(granted.store) })),
    });
    this.#endings.add(() => contender.close());
    return {
      takeOver: (leader) => (this.#isFrozen ? new Promise(() => undefined) : contender.takeOver(leader)),
      close: () => contender.close(),
    };
  }

  watchLeader(onChange: (leader: LeaderInfo | null) => void): () => void {
    const stop = this.#election.watchLeader(this.#unlessFrozen(onChange));
    this.#endings.add(stop);
    return stop;
  }

  announceTaskManager(info: TaskManagerAnnouncement): () => Promise<void> {
    const withdraw = this.#election.announce(info);
    this.#endings.add(withdraw);
    return async () => {
      withdraw();
    };
  }

  watchTaskManagers(onChange: (all: readonly TaskManagerAnnouncement[]) => void): () => void {
    const stop = this.#election.watchTaskManagers(this.#unlessFrozen(onChange));
    this.#endings.add(stop);
    return stop;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#endings].map((end) => end()));
  }

  #unlessFrozen<T>(listener: (value: T) => void): (value: T) => void {
    return (value) => {
      if (!this.#isFrozen) listener(value);
    };
  }

  /** Nothing is answered any more. */
  #freezable(store: FencedStore): FencedStore {
    const asked = async <T>(work: () => Promise<T>): Promise<T> => {
      const silence = new Promise<never>(() => undefined);
      const isFrozen = (): boolean => this.#isFrozen;
      if (isFrozen()) return silence;
      const result = await work();
      return isFrozen() ? silence : result;
    };
    return {
      read: (key) => asked(() => store.read(key)),
      list: (key) => asked(() => store.list(key)),
      write: (key, value, expected) => asked(() => store.write(key, value, expected)),
      remove: (key) => asked(() => store.remove(key)),
    };
  }
}
