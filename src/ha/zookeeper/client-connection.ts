/**
 * A session by node-zookeeper-client. What that client does wrong, or not at all, is made good here, as far as one
 * session is concerned:
 *
 *  - versions of a multi: it encodes 0 as "any" (`version || -1`), so that they are set on its operations afterwards;
 *  - calls while there is no connection, and those that it has not sent yet, would be sent with the next one, whatever
 *    has become of them meanwhile: they are refused, and its queue is emptied;
 *  - after the end of the session calls are never answered, or with CONNECTION_LOSS for ever;
 *  - half a packet of a broken connection would be taken for the beginning of the next one;
 *  - codes that it does not know, and packets that it cannot read, are thrown out of a socket's event;
 *  - watches are not carried over to the next connection: our own layer reads everything anew.
 */
import type { ACL, Client, State, Transaction } from 'node-zookeeper-client';

import { messageOf, type Ports } from '../../core/index.ts';
import type { ZooKeeperAddress } from './connect-string.ts';
import {
  ZooKeeperError,
  type ConnectZooKeeper,
  type ZooKeeperConnection,
  type ZooKeeperFailure,
  type ZooKeeperNode,
  type ZooKeeperOperation,
  type ZooKeeperState,
} from './connection.ts';

export interface ZooKeeperClientOptions {
  readonly address: ZooKeeperAddress;
  readonly sessionTimeoutMs: number;
  readonly auth: { readonly scheme: 'digest'; readonly user: string; readonly password: string } | null;
  readonly acl: 'world' | 'creator-all';
  readonly ports: Pick<Ports, 'clock' | 'randomness'>;
}

const ANY_VERSION = -1;
/** At most this long between attempts, once all servers have been tried. */
const SPIN_DELAY_MS = 300;
/** For the server's answer to the end of the session. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Codes of ZooKeeper's protocol (KeeperException.Code). */
const FAILURES: ReadonlyMap<number, ZooKeeperFailure> = new Map([
  [-4, 'connection-loss'],
  [-112, 'session-ended'],
  [-101, 'no-node'],
  [-110, 'node-exists'],
  [-103, 'bad-version'],
  [-111, 'not-empty'],
  [-102, 'not-authorised'],
  [-115, 'not-authorised'],
  [-114, 'not-authorised'],
]);

/** Flags of ZooKeeper's protocol (CreateMode). */
const MODES = { persistent: 0, ephemeral: 1, 'ephemeral-sequential': 3 };

/** What is used of the client beside what it offers. */
interface ConnectionManager {
  servers: readonly { readonly host: string; readonly port: number }[];
  socket?: { destroy(): void };
  pendingBuffer: Buffer | null;
  connectTimeoutHandler: NodeJS.Timeout | null;
  readonly packetQueue: { queue: unknown[] };
  readonly watcherManager: { dataWatchers: object; childWatchers: object; existenceWatchers: object };
  findNextServer: (found: (server: unknown) => void) => void;
  onSocketConnected: () => void;
  onSocketData: (bytes: Buffer) => void;
}

/** `index` is that of the operation that failed, of a multi. */
type Outcome<T> = (error: unknown, value?: T, index?: number) => void;

interface LoadedClient {
  readonly client: Client;
  readonly manager: ConnectionManager;
  /** Of all that is made. */
  readonly acl: ACL[];
}

export function connectByClient(options: ZooKeeperClientOptions): ConnectZooKeeper {
  return (onState) => new ClientConnection(options, onState);
}

class ClientConnection implements ZooKeeperConnection {
  readonly #options: ZooKeeperClientOptions;
  /** Null before the client is loaded. */
  #loaded: LoadedClient | null = null;
  readonly #ports: ZooKeeperClientOptions['ports'];
  readonly #onState: (state: ZooKeeperState) => void;
  /** Ends each call that has no answer yet. */
  readonly #pending = new Set<Outcome<never>>();
  #state: ZooKeeperState | 'connecting' = 'connecting';
  #isClosed = false;

  constructor(options: ZooKeeperClientOptions, onState: (state: ZooKeeperState) => void) {
    this.#options = options;
    this.#ports = options.ports;
    this.#onState = onState;
    void this.#begin();
  }

  get state(): ZooKeeperState | 'connecting' {
    return this.#state;
  }

  get sessionTimeoutMs(): number {
    return this.#loaded?.client.getSessionTimeout() ?? this.#options.sessionTimeoutMs;
  }

  create(path: string, data: Uint8Array, mode: keyof typeof MODES): Promise<string> {
    return this.#call(({ client, acl }, done) => client.create(path, Buffer.from(data), acl, MODES[mode], done));
  }

  async setData(path: string, data: Uint8Array, version: number | null): Promise<number> {
    const sent = version ?? ANY_VERSION;
    const stat = await this.#call<{ readonly version: number }>(({ client }, done) =>
      client.setData(path, Buffer.from(data), sent, done),
    );
    return stat.version;
  }

  delete(path: string, version: number | null): Promise<void> {
    return this.#call(({ client }, done) => client.remove(path, version ?? ANY_VERSION, done));
  }

  multi(operations: readonly ZooKeeperOperation[]): Promise<void> {
    return this.#call(({ client, acl }, done) => {
      const transaction = client.transaction();
      for (const operation of operations) add(transaction, operation, acl);
      transaction.commit((error: unknown, results: unknown) => done(error, undefined, failingOperation(results)));
    });
  }

  getData(path: string, onChange?: () => void): Promise<ZooKeeperNode | null> {
    return orNull(
      this.#call<ZooKeeperNode>(({ client }, done) => {
        client.getData(path, watcher(onChange), (error, data: Buffer | undefined, stat) => {
          if (isFailed(error)) done(error);
          else done(null, toNode(data, stat));
        });
      }),
    );
  }

  getChildren(path: string, onChange?: () => void): Promise<readonly string[] | null> {
    return orNull(
      this.#call<readonly string[]>(({ client }, done) => {
        client.getChildren(path, watcher(onChange), (error, names) => done(error, names));
      }),
    );
  }

  async exists(path: string, onChange?: () => void): Promise<boolean> {
    const stat = await this.#call<unknown>(({ client }, done) => client.exists(path, watcher(onChange), done));
    return stat !== null && stat !== undefined;
  }

  reconnect(): void {
    if (this.#loaded === null) return;
    const { manager } = this.#loaded;
    // Else it would later end a connection that is not the one that it was set for.
    if (manager.connectTimeoutHandler !== null) clearTimeout(manager.connectTimeoutHandler);
    manager.socket?.destroy();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const client = this.#state === 'connected' ? this.#loaded?.client : undefined;
    this.#end('ended');
    // Without a connection there is nobody to tell, and the client would fail over the socket that it has not got.
    if (client !== undefined) {
      const closed = new Promise<void>((resolve) => client.once('disconnected', resolve));
      client.close();
      let giveUp = (): void => undefined;
      const timer = this.#ports.clock.schedule(CLOSE_TIMEOUT_MS, () => giveUp());
      await Promise.race([closed, new Promise<void>((resolve) => (giveUp = resolve))]);
      timer.cancel();
    }
    this.reconnect();
  }

  /** The client is loaded when it is needed: few commands talk to ZooKeeper. */
  async #begin(): Promise<void> {
    const { createClient, ACL, Id, Permission } = await import('node-zookeeper-client');
    if (this.#isClosed) return;
    const { address, sessionTimeoutMs, auth, acl } = this.#options;
    const hosts = address.servers.map(({ host, port }) => `${host}:${port}`).join(',');
    const client = createClient(hosts, { sessionTimeout: sessionTimeoutMs, spinDelay: SPIN_DELAY_MS, retries: 0 });
    const manager = (client as unknown as { readonly connectionManager: ConnectionManager }).connectionManager;
    const owner = acl === 'world' ? new Id('world', 'anyone') : new Id('auth', '');
    this.#loaded = { client, manager, acl: [new ACL(Permission.ALL, owner)] };
    this.#mend(manager, address);
    client.on('state', ({ name }: State) => this.#onClientState(name));
    if (auth !== null) client.addAuthInfo(auth.scheme, Buffer.from(`${auth.user}:${auth.password}`));
    client.connect();
  }

  #mend(manager: ConnectionManager, address: ZooKeeperAddress): void {
    // Its own reader of addresses does not know those of IPv6.
    const start = Math.floor(this.#ports.randomness.next() * address.servers.length);
    manager.servers = [...address.servers.slice(start), ...address.servers.slice(0, start)];
    const { findNextServer, onSocketConnected, onSocketData } = manager;
    manager.findNextServer = (found) =>
      findNextServer.call(manager, (server) => {
        if (!this.#isClosed) found(server);
      });
    manager.onSocketConnected = () => {
      manager.pendingBuffer = null;
      onSocketConnected.call(manager);
    };
    manager.onSocketData = (bytes) => {
      try {
        onSocketData.call(manager, bytes);
      } catch {
        // Nothing that follows can be trusted; the calls without an answer end with the connection.
        manager.socket?.destroy();
      }
    };
  }

  #onClientState(state: string): void {
    if (this.#state === 'ended' || this.#state === 'refused') return;
    if (state === 'SYNC_CONNECTED') this.#change('connected');
    else if (state === 'DISCONNECTED') this.#disconnected();
    else if (state === 'EXPIRED') this.#end('ended');
    else if (state === 'AUTH_FAILED') this.#end('refused');
  }

  #disconnected(): void {
    this.#forget(new ZooKeeperError('connection-loss', 'the connection has broken'));
    this.#change('disconnected');
  }

  #end(state: 'ended' | 'refused'): void {
    this.#forget(new ZooKeeperError('session-ended', 'the session is over'));
    this.#change(state);
  }

  #forget(error: ZooKeeperError): void {
    if (this.#loaded !== null) {
      const { packetQueue, watcherManager } = this.#loaded.manager;
      packetQueue.queue = [];
      watcherManager.dataWatchers = {};
      watcherManager.childWatchers = {};
      watcherManager.existenceWatchers = {};
    }
    for (const end of [...this.#pending]) end(error);
  }

  #change(state: ZooKeeperState): void {
    this.#state = state;
    if (!this.#isClosed) this.#onState(state);
  }

  #call<T>(send: (loaded: LoadedClient, done: Outcome<T>) => void): Promise<T> {
    if (this.#state === 'ended' || this.#state === 'refused') {
      return Promise.reject(new ZooKeeperError('session-ended', 'the session is over'));
    }
    const loaded = this.#loaded;
    if (this.#state !== 'connected' || loaded === null) {
      return Promise.reject(new ZooKeeperError('connection-loss', 'there is no connection'));
    }
    return new Promise<T>((resolve, reject) => {
      const done: Outcome<T> = (error, value, index) => {
        this.#pending.delete(done);
        if (isFailed(error)) reject(toZooKeeperError(error, index ?? 0));
        else resolve(value as T);
      };
      this.#pending.add(done);
      send(loaded, done);
    });
  }
}

function add(transaction: Transaction, operation: ZooKeeperOperation, acl: ACL[]): void {
  const { path } = operation;
  switch (operation.kind) {
    case 'create': {
      const mode = operation.ephemeral ? MODES.ephemeral : MODES.persistent;
      transaction.create(path, Buffer.from(operation.data), acl, mode);
      return;
    }
    case 'check':
      transaction.check(path);
      break;
    case 'set':
      transaction.setData(path, Buffer.from(operation.data));
      break;
    case 'delete':
      transaction.remove(path);
  }
  const { ops } = transaction as unknown as { readonly ops: { version: number }[] };
  (ops.at(-1) as { version: number }).version = operation.version ?? ANY_VERSION;
}

function isFailed(error: unknown): boolean {
  return error !== null && error !== undefined;
}

function toZooKeeperError(error: unknown, index: number): ZooKeeperError {
  if (error instanceof ZooKeeperError) return error;
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return new ZooKeeperError(FAILURES.get(code as number) ?? 'other', messageOf(error), index);
}

/** Those before the one that failed say that they are in order. */
function failingOperation(results: unknown): number {
  if (!Array.isArray(results)) return 0;
  return results.findIndex(({ err }: { readonly err?: number }) => err !== undefined && err !== 0);
}

function toNode(data: Buffer | undefined, stat: { readonly version: number; readonly czxid: Buffer }): ZooKeeperNode {
  return { data: data ?? new Uint8Array(), version: stat.version, createdBy: stat.czxid.readBigInt64BE() };
}

/** The client tells apart by the number of its arguments whether there is a watcher. */
function watcher(onChange: (() => void) | undefined): () => void {
  return (onChange === undefined ? undefined : () => onChange()) as () => void;
}

async function orNull<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ZooKeeperError && error.failure === 'no-node') return null;
    throw error;
  }
}
