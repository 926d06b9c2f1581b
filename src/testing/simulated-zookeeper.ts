/**
 * A ZooKeeper server in memory, beneath the session layer of `ha/zookeeper`: sessions, ephemeral and sequential nodes,
 * one-shot watches, multi-operations with exact versions. Time is that of a clock. Processes reach it over links, which
 * can be dropped, cut, fall silent, and lose answers.
 */
import type { Clock } from '../core/index.ts';
import { ZooKeeperError } from '../ha/index.ts';
import type {
  ConnectZooKeeper,
  ZooKeeperConnection,
  ZooKeeperNode,
  ZooKeeperOperation,
  ZooKeeperState,
} from '../ha/index.ts';

const LATENCY_MS = 1;
const RECONNECT_MS = 50;

interface Node extends ZooKeeperNode {
  readonly owner: Session | null;
}

interface Session {
  readonly id: number;
  /** Whose link it came over. */
  readonly holder: string;
  readonly timeoutMs: number;
  heardMs: number;
  isAlive: boolean;
}

interface Watch {
  readonly kind: 'data' | 'children' | 'existence';
  readonly path: string;
  readonly connection: SimulatedConnection;
  readonly fire: () => void;
}

interface Change {
  readonly path: string;
  readonly kind: 'created' | 'changed' | 'deleted';
}

type Write = Exclude<ZooKeeperOperation, { readonly kind: 'create' }> | CreateOperation;

interface CreateOperation {
  readonly kind: 'create';
  readonly path: string;
  readonly data: Uint8Array;
  readonly ephemeral: boolean;
  readonly sequential?: boolean;
}

export class SimulatedZooKeeper {
  readonly clock: Clock;
  #nodes = new Map<string, Node>([['/', { data: new Uint8Array(), version: 0, createdBy: 0n, owner: null }]]);
  #sequences = new Map<string, number>();
  #transactions = 0n;
  #sessions = 0;
  #watches: Watch[] = [];
  readonly #connections = new Set<SimulatedConnection>();
  #held: (() => void)[] = [];
  #state: 'serving' | 'frozen' | 'away' = 'serving';
  /** Told of every write that is carried out, in order, and of whose session it was; null for the server's own. */
  onWrite: ((write: Write, path: string, holder: string | null) => void) | null = null;
  /** Versions in checks are not looked at: breaks on purpose what stands on them. */
  ignoresChecks = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get state(): 'serving' | 'frozen' | 'away' {
    return this.#state;
  }

  /** A process's way to the server. */
  link(sessionTimeoutMs = 10_000, holder = ''): SimulatedLink {
    return new SimulatedLink(this, sessionTimeoutMs, holder);
  }

  /** The server's process is stopped: connections stay, nothing is answered. */
  freeze(): void {
    this.#state = 'frozen';
  }

  /** What has come meanwhile is answered, but for sessions whose time is over. */
  thaw(): void {
    this.#state = 'serving';
    for (const session of this.#livingSessions()) this.#expireIfDue(session);
    for (const handle of this.#held.splice(0)) handle();
  }

  /** Connections break, and new ones are refused. */
  stop(): void {
    this.#state = 'away';
    this.#held = [];
    for (const connection of [...this.#connections]) connection.disconnect();
  }

  /** Sessions go on, with all of their time before them. */
  start(): void {
    this.#state = 'serving';
    for (const session of this.#livingSessions()) {
      session.heardMs = this.clock.monotonicMs();
      this.#watchSession(session);
    }
  }

  /** What stands there, whoever may see it. */
  paths(): readonly string[] {
    return [...this.#nodes.keys()].sort();
  }

  /** As somebody with the tools of ZooKeeper would. */
  operate(operations: readonly Write[]): void {
    this.carryOut(null, operations);
  }

  newSession(timeoutMs: number, holder: string): Session {
    const session = { id: ++this.#sessions, holder, timeoutMs, heardMs: this.clock.monotonicMs(), isAlive: true };
    this.#watchSession(session);
    return session;
  }

  attach(connection: SimulatedConnection): void {
    this.#connections.add(connection);
  }

  detach(connection: SimulatedConnection): void {
    this.#connections.delete(connection);
    this.#watches = this.#watches.filter((watch) => watch.connection !== connection);
  }

  /** Carries out what has arrived, once the server runs. */
  receive(handle: () => void): void {
    if (this.#state === 'serving') handle();
    else if (this.#state === 'frozen') this.#held.push(handle);
  }

  expire(session: Session): void {
    session.isAlive = false;
    const owned = [...this.#nodes].filter(([, node]) => node.owner === session).map(([path]) => path);
    this.carryOut(
      null,
      owned.map((path) => ({ kind: 'delete', path, version: null })),
    );
    for (const connection of [...this.#connections]) {
      if (connection.session === session) connection.disconnect();
    }
  }

  /** All of them, or none; resolves to the paths. */
  carryOut(session: Session | null, operations: readonly Write[]): readonly string[] {
    const before = new Map(this.#nodes);
    const changes: Change[] = [];
    this.#transactions++;
    const paths = operations.map((operation, index) => {
      try {
        return this.#applyOne(session, operation, changes);
      } catch (error) {
        this.#nodes = before;
        if (error instanceof ZooKeeperError) throw new ZooKeeperError(error.failure, error.message, index);
        throw error;
      }
    });
    operations.forEach((write, index) => this.onWrite?.(write, paths[index] as string, session?.holder ?? null));
    for (const change of changes) this.#tell(change);
    return paths;
  }

  node(path: string): Node | null {
    return this.#nodes.get(path) ?? null;
  }

  childrenOf(path: string): readonly string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.#nodes.keys()]
      .filter((each) => each !== '/' && each.startsWith(prefix) && !each.slice(prefix.length).includes('/'))
      .map((each) => each.slice(prefix.length));
  }

  watch(watch: Watch): void {
    this.#watches.push(watch);
  }

  #applyOne(session: Session | null, operation: Write, changes: Change[]): string {
    const { path } = operation;
    if (operation.kind === 'create') return this.#create(session, operation, changes);
    const found = this.#nodes.get(path);
    if (found === undefined) throw new ZooKeeperError('no-node', `no node ${path}`);
    const isIgnored = operation.kind === 'check' && this.ignoresChecks;
    if (operation.version !== null && operation.version !== found.version && !isIgnored) {
      throw new ZooKeeperError('bad-version', `${path} has version ${found.version}`);
    }
    if (operation.kind === 'set') {
      this.#nodes.set(path, { ...found, data: Uint8Array.from(operation.data), version: found.version + 1 });
      changes.push({ path, kind: 'changed' });
    }
    if (operation.kind === 'delete') {
      if (this.childrenOf(path).length > 0) throw new ZooKeeperError('not-empty', `${path} has children`);
      this.#nodes.delete(path);
      changes.push({ path, kind: 'deleted' });
    }
    return path;
  }

  #create(session: Session | null, operation: CreateOperation, changes: Change[]): string {
    const above = parentOf(operation.path);
    const parent = this.#nodes.get(above);
    if (parent === undefined) throw new ZooKeeperError('no-node', `no node ${above}`);
    if (parent.owner !== null) throw new ZooKeeperError('other', `${above} is ephemeral`);
    const sequence = this.#sequences.get(above) ?? 0;
    this.#sequences.set(above, sequence + 1);
    const suffix = operation.sequential === true ? String(sequence).padStart(10, '0') : '';
    const path = operation.path + suffix;
    if (this.#nodes.has(path)) throw new ZooKeeperError('node-exists', `${path} is there`);
    const owner = operation.ephemeral ? session : null;
    const data = Uint8Array.from(operation.data);
    this.#nodes.set(path, { data, version: 0, createdBy: this.#transactions, owner });
    changes.push({ path, kind: 'created' });
    return path;
  }

  #tell({ path, kind }: Change): void {
    const above = parentOf(path);
    const ofItself = { created: ['existence'], changed: ['data'], deleted: ['data', 'children'] }[kind];
    const meant = this.#watches.filter(
      (watch) =>
        (watch.path === path && ofItself.includes(watch.kind)) ||
        (watch.path === above && watch.kind === 'children' && kind !== 'changed'),
    );
    this.#watches = this.#watches.filter((each) => !meant.includes(each));
    for (const watch of meant) watch.fire();
  }

  #livingSessions(): readonly Session[] {
    const sessions = new Set<Session>();
    for (const { owner } of this.#nodes.values()) if (owner !== null) sessions.add(owner);
    for (const { session } of this.#connections) if (session !== null) sessions.add(session);
    return [...sessions].filter(({ isAlive }) => isAlive);
  }

  #watchSession(session: Session): void {
    const leftMs = session.heardMs + session.timeoutMs - this.clock.monotonicMs();
    this.clock.schedule(Math.max(1, leftMs), () => {
      if (session.isAlive && this.#state === 'serving') this.#expireIfDue(session);
    });
  }

  #expireIfDue(session: Session): void {
    if (this.clock.monotonicMs() - session.heardMs >= session.timeoutMs) this.expire(session);
    else this.#watchSession(session);
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** How one process reaches the server: by one connection after the other. */
export class SimulatedLink {
  readonly zooKeeper: SimulatedZooKeeper;
  readonly sessionTimeoutMs: number;
  readonly holder: string;
  #connection: SimulatedConnection | null = null;
  #held: (() => void)[] = [];
  #isSilent = false;
  #isCut = false;
  /** What becomes of the next write's answer. */
  lostAnswer: 'none' | 'carried-out' | 'not-carried-out' = 'none';
  /** Notifications that have not been passed on yet; null where they are passed on at once. */
  #unheard: (() => void)[] | null = null;

  /** `holder` is the name of the process, for SimulatedZooKeeper.onWrite. */
  constructor(zooKeeper: SimulatedZooKeeper, sessionTimeoutMs: number, holder: string) {
    this.zooKeeper = zooKeeper;
    this.sessionTimeoutMs = sessionTimeoutMs;
    this.holder = holder;
  }

  readonly connect: ConnectZooKeeper = (onState) => {
    this.#connection = new SimulatedConnection(this, onState);
    return this.#connection;
  };

  get isReachable(): boolean {
    return !this.#isCut && !this.#isSilent && this.zooKeeper.state === 'serving';
  }

  /** Nothing gets through in either direction, and nobody is told: a link that is half open. */
  silence(): void {
    this.#isSilent = true;
  }

  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** What was sent meanwhile arrives. */
  restore(): void {
    this.#isSilent = this.#isCut = false;
    for (const arrive of this.#held.splice(0)) arrive();
  }

  /** The connection breaks; the next one is made soon. */
  drop(): void {
    this.#connection?.disconnect();
  }

  /** The connection breaks, and none can be made before restore(). */
  cut(): void {
    this.#isCut = true;
    this.drop();
  }

  /** The server ends the session. */
  expire(): void {
    const session = this.#connection?.session;
    if (session !== undefined && session !== null && session.isAlive) this.zooKeeper.expire(session);
  }

  /** Watches are not told any more, while calls are answered. */
  deafen(): void {
    this.#unheard ??= [];
  }

  hear(): void {
    const unheard = this.#unheard ?? [];
    this.#unheard = null;
    for (const tell of unheard) tell();
  }

  /** Brings something to the other side. */
  carry(arrive: () => void): void {
    this.zooKeeper.clock.schedule(LATENCY_MS, () => {
      if (this.#isSilent) this.#held.push(arrive);
      else arrive();
    });
  }

  notify(tell: () => void): void {
    this.carry(() => {
      if (this.#unheard === null) tell();
      else this.#unheard.push(tell);
    });
  }
}

class SimulatedConnection implements ZooKeeperConnection {
  readonly #link: SimulatedLink;
  readonly #onState: (state: ZooKeeperState) => void;
  /** Ends each call that has no answer yet. */
  readonly #pending = new Set<(error: ZooKeeperError) => void>();
  #state: ZooKeeperState | 'connecting' = 'connecting';
  #session: Session | null = null;
  /** Which connection of this session it is: what belongs to an earlier one does not arrive. */
  #count = 0;

  constructor(link: SimulatedLink, onState: (state: ZooKeeperState) => void) {
    this.#link = link;
    this.#onState = onState;
    this.#attempt(LATENCY_MS);
  }

  get state(): ZooKeeperState | 'connecting' {
    return this.#state;
  }

  get session(): Session | null {
    return this.#session;
  }

  get sessionTimeoutMs(): number {
    return this.#link.sessionTimeoutMs;
  }

  async create(
    path: string,
    data: Uint8Array,
    mode: 'persistent' | 'ephemeral' | 'ephemeral-sequential',
  ): Promise<string> {
    const sequential = mode === 'ephemeral-sequential';
    const [made] = await this.#write([{ kind: 'create', path, data, ephemeral: mode !== 'persistent', sequential }]);
    return made ?? path;
  }

  async setData(path: string, data: Uint8Array, version: number | null): Promise<number> {
    await this.#write([{ kind: 'set', path, data, version }]);
    return this.#server.node(path)?.version ?? 0;
  }

  async delete(path: string, version: number | null): Promise<void> {
    await this.#write([{ kind: 'delete', path, version }]);
  }

  async multi(operations: readonly ZooKeeperOperation[]): Promise<void> {
    await this.#write(operations);
  }

  getData(path: string, onChange?: () => void): Promise<ZooKeeperNode | null> {
    return this.#ask(() => {
      const node = this.#server.node(path);
      if (node !== null) this.#watch('data', path, onChange);
      return node;
    });
  }

  getChildren(path: string, onChange?: () => void): Promise<readonly string[] | null> {
    return this.#ask(() => {
      if (this.#server.node(path) === null) return null;
      this.#watch('children', path, onChange);
      return this.#server.childrenOf(path);
    });
  }

  exists(path: string, onChange?: () => void): Promise<boolean> {
    return this.#ask(() => {
      const isThere = this.#server.node(path) !== null;
      this.#watch(isThere ? 'data' : 'existence', path, onChange);
      return isThere;
    });
  }

  reconnect(): void {
    this.disconnect();
  }

  close(): Promise<void> {
    const session = this.#session;
    const wasReachable = this.#state === 'connected' && this.#link.isReachable;
    if (this.#state !== 'ended') this.#end();
    if (wasReachable && session?.isAlive === true) this.#server.expire(session);
    return Promise.resolve();
  }

  disconnect(): void {
    if (this.#state !== 'connected') return;
    this.#count++;
    this.#server.detach(this);
    this.#forget(new ZooKeeperError('connection-loss', 'the connection has broken'));
    this.#state = 'disconnected';
    this.#onState('disconnected');
    this.#attempt(RECONNECT_MS);
  }

  get #server(): SimulatedZooKeeper {
    return this.#link.zooKeeper;
  }

  #attempt(delayMs: number): void {
    this.#server.clock.schedule(delayMs, () => {
      if (this.#state === 'ended' || this.#state === 'connected') return;
      if (!this.#link.isReachable) {
        this.#attempt(RECONNECT_MS);
        return;
      }
      this.#session ??= this.#server.newSession(this.#link.sessionTimeoutMs, this.#link.holder);
      if (!this.#session.isAlive) {
        this.#end();
        this.#onState('ended');
        return;
      }
      this.#session.heardMs = this.#server.clock.monotonicMs();
      this.#server.attach(this);
      this.#state = 'connected';
      this.#onState('connected');
    });
  }

  #end(): void {
    this.#count++;
    this.#server.detach(this);
    this.#state = 'ended';
    this.#forget(new ZooKeeperError('session-ended', 'the session is over'));
  }

  #forget(error: ZooKeeperError): void {
    for (const end of [...this.#pending]) end(error);
  }

  #write(operations: readonly Write[]): Promise<readonly string[]> {
    return this.#ask(() => {
      const lost = this.#link.lostAnswer;
      this.#link.lostAnswer = 'none';
      const paths = lost === 'not-carried-out' ? [] : this.#server.carryOut(this.#session, operations);
      if (lost !== 'none') this.disconnect();
      return paths;
    });
  }

  #ask<T>(act: () => T): Promise<T> {
    if (this.#state !== 'connected') {
      const failure = this.#state === 'ended' ? 'session-ended' : 'connection-loss';
      return Promise.reject(new ZooKeeperError(failure, 'there is no connection'));
    }
    const count = this.#count;
    return new Promise<T>((resolve, reject) => {
      const end = (error: ZooKeeperError): void => {
        this.#pending.delete(end);
        reject(error);
      };
      this.#pending.add(end);
      const answer = (settle: () => void): void =>
        this.#link.carry(() => {
          if (count !== this.#count) return;
          this.#pending.delete(end);
          settle();
        });
      const handle = (): void => {
        if (count !== this.#count || this.#session?.isAlive !== true) return;
        this.#session.heardMs = this.#server.clock.monotonicMs();
        try {
          const result = act();
          answer(() => resolve(result));
        } catch (error) {
          answer(() => reject(error as Error));
        }
      };
      this.#link.carry(() => this.#server.receive(handle));
    });
  }

  #watch(kind: Watch['kind'], path: string, onChange: (() => void) | undefined): void {
    if (onChange === undefined) return;
    const count = this.#count;
    const fire = (): void =>
      this.#link.notify(() => {
        if (count === this.#count) onChange();
      });
    this.#server.watch({ kind, path, connection: this, fire });
  }
}
