/** The real ports: the only home of Node's time, randomness, file, socket and thread modules. */
import { randomBytes } from 'node:crypto';
import {
  chmod,
  glob,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import { createConnection, createServer, isIP, Socket as NetSocket } from 'node:net';
import type { OnReadOpts, SocketConstructorOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { ConnectionOptions, TlsOptions } from 'node:tls';
import { MessageChannel, Worker } from 'node:worker_threads';
import type {
  Clock,
  DirectListener,
  DirectSocket,
  DirectSocketHandler,
  FileInfo,
  FileLock,
  FileSystem,
  LocalListener,
  PortReservation,
  Macrotasks,
  MessageChannels,
  Network,
  OpenFile,
  Ports,
  Randomness,
  Socket,
  StandardStreams,
  TlsSettings,
  WorkerHost,
  WorkerThread,
} from './ports.ts';

const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(delayMs, callback, background = false) {
    const timer = setTimeout(callback, delayMs);
    if (background) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  sleep: (delayMs) => sleepFor(delayMs),
};

const randomness: Randomness = {
  next: () => Math.random(),
  hex: (byteCount) => randomBytes(byteCount).toString('hex'),
};

/** Of what its owner alone may read and write. */
const PRIVATE_MODE = 0o600;

const macrotasks: Macrotasks = {
  yield: () => new Promise((resolve) => setImmediate(resolve)),
};

/** Gone, in use, or not ours to remove: what is mounted into a container stands where nothing may be written. */
const KEEPS_DIRECTORY = ['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'EROFS', 'EACCES', 'EPERM'];

const files: FileSystem = {
  readText: (path) => readFile(path, 'utf8'),
  writeText: (path, text) => writeFile(path, text),
  open: openFile,
  stat: statFile,
  async glob(pattern) {
    const found: FileInfo[] = [];
    for await (const path of glob(pattern)) {
      const info = await statFile(path);
      if (info !== null) found.push(info);
    }
    return found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  },
  list: (path) => unlessFailed(readdir(path), ['ENOENT'], []),
  async makeDirectory(path) {
    await mkdir(path, { recursive: true });
  },
  async syncDirectory(path) {
    // Windows opens no directories, and makes names durable by itself.
    if (process.platform === 'win32') return;
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  removeEmptyDirectory: (path) => unlessFailed(rmdir(path), KEEPS_DIRECTORY, undefined),
  lock: lockFile,
  rename: (from, to) => rename(from, to),
  // What a thread that was ended had begun to write may come while its folder is removed.
  remove: (path) => rm(path, { recursive: true, force: true, maxRetries: 3 }),
};

async function statFile(path: string): Promise<FileInfo | null> {
  const info = await unlessFailed(stat(path), ['ENOENT'], null);
  return info?.isFile() === true
    ? { path, sizeBytes: info.size, modifiedMs: info.mtimeMs, inode: info.ino }
    : null;
}

/** What the system answers, or `otherwise` where it fails with one of these codes. */
async function unlessFailed<T>(answer: Promise<T>, codes: readonly string[], otherwise: T): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    // Not by instanceof: under test runners, errors of Node's modules are of another realm.
    if (codes.some((code) => hasProperty(error, 'code', code))) return otherwise;
    throw error;
  }
}

const SQLITE_BUSY = 5;
/** What nobody refers to is collected, and its lock with it. */
const heldLocks = new Set<unknown>();

/**
 * Node has no locks of files, but SQLite takes POSIX record locks, which hold between containers and end with the
 * process: an exclusive transaction on an empty database that is never written. Any other descriptor of the file that
 * this process opened would take the lock along when it is closed, which is the rule of POSIX.
 */
async function lockFile(path: string): Promise<FileLock | { readonly heldBy: number | null }> {
  // Imported late: few commands lock anything.
  const { DatabaseSync } = await import('node:sqlite');
  const ownerPath = `${path}.pid`;
  const before = await statFile(path);
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!hasProperty(error, 'errcode', SQLITE_BUSY)) throw error;
    const owner = Number.parseInt(await unlessFailed(readFile(ownerPath, 'utf8'), ['ENOENT'], ''), 10);
    return { heldBy: Number.isNaN(owner) ? null : owner };
  }
  const locked = await statFile(path);
  if (before !== null && before.inode !== locked?.inode) {
    // It was replaced meanwhile, and perhaps what is there now is locked.
    database.close();
    return { heldBy: null };
  }
  await writeFile(ownerPath, String(process.pid));
  heldLocks.add(database);
  let isOpen = true;
  return {
    isHeld: async () => isOpen && locked !== null && (await statFile(path))?.inode === locked.inode,
    async release() {
      if (!isOpen) return;
      isOpen = false;
      heldLocks.delete(database);
      await rm(ownerPath, { force: true });
      database.close();
    },
  };
}

function hasProperty(value: unknown, name: string, expected: unknown): boolean {
  return typeof value === 'object' && value !== null && Reflect.get(value, name) === expected;
}

async function openFile(path: string, mode: 'read' | 'append' | 'create' | 'create-new'): Promise<OpenFile> {
  const handle = await open(path, { read: 'r', append: 'a', create: 'w', 'create-new': 'wx' }[mode]);
  return {
    async read(buffer, length, position) {
      return (await handle.read(buffer, 0, length, position)).bytesRead;
    },
    async append(bytes) {
      await handle.writeFile(bytes);
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

const network: Network = {
  connect: (host, port, timeoutMs) =>
    new Promise((resolve, reject) => {
      const socket = createConnection({ host, port });
      const timer = setTimeout(() => {
        socket.destroy(new Error(`no connection to ${host}:${port} within ${timeoutMs} ms`));
      }, timeoutMs);
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        resolve(wrapSocket(socket));
      });
    }),
  connectDirect,
  listenDirect,
  listenLocal,
  reservePort,
  connectLocal: (path) =>
    new Promise((resolve, reject) => {
      const socket = createConnection({ path });
      socket.once('error', reject);
      socket.once('connect', () => {
        resolve(wrapSocket(socket));
      });
    }),
};

/** Paths of sockets are limited to 108 bytes, so it does not stand among the data. */
async function listenLocal(accept: (socket: Socket) => void): Promise<LocalListener> {
  // Made for this user alone, so nobody else gets at the socket before its own mode is set.
  const directory = await mkdtemp(join(tmpdir(), 'millrace-'));
  const path = join(directory, 'control');
  const server = createServer((socket) => {
    // Whoever reads it is told of failures.
    socket.on('error', () => undefined);
    accept(wrapSocket(socket));
  });
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path }, resolve);
    });
    await chmod(path, PRIVATE_MODE);
  } catch (error) {
    server.close();
    await remove();
    throw error;
  }
  server.unref();
  return {
    path,
    async close() {
      server.close();
      await remove();
    },
  };
}

function reservePort(host: string, port: number): Promise<PortReservation> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.resetAndDestroy();
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.unref();
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        release() {
          // Closes its descriptor at once.
          server.close();
        },
      });
    });
  });
}

function connectDirect(
  address: {
    readonly host: string;
    readonly port: number;
    readonly timeoutMs: number;
    readonly tls: TlsSettings | null;
  },
  handler: DirectSocketHandler,
): Promise<DirectSocket> {
  const { host, port, timeoutMs, tls } = address;
  const onread = {
    buffer: () => handler.buffer(),
    callback: (count: number) => {
      handler.received(count);
      return true;
    },
  };
  return new Promise((resolve, reject) => {
    const socket =
      tls === null
        ? createConnection({ host, port, onread, noDelay: true, keepAlive: true })
        : connectTls(tlsOptions(host, port, onread, tls));
    let failure: Error | null = null;
    let isOpen = false;
    const timer = setTimeout(() => {
      socket.destroy(new Error(`no connection to ${host}:${port} within ${timeoutMs} ms`));
    }, timeoutMs);
    socket.on('error', (error) => {
      failure ??= error;
    });
    socket.once('close', () => {
      clearTimeout(timer);
      if (!isOpen) reject(failure ?? new Error(`${host}:${port} closed the connection`));
    });
    socket.once(tls === null ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      if (tls !== null) socket.setNoDelay(true).setKeepAlive(true);
      isOpen = true;
      resolve(directSocket(socket, () => handler));
    });
  });
}

/** An open connection, whose end is told to its handler. */
function directSocket(stream: NetSocket, handler: () => DirectSocketHandler | null): DirectSocket {
  let failure: Error | null = null;
  let isClosedByUs = false;
  stream.on('error', (error) => {
    failure ??= error;
  });
  stream.once('close', () => {
    if (!isClosedByUs) handler()?.closed(failure);
  });
  return {
    write(parts, written) {
      stream.cork();
      const last = parts.length - 1;
      for (let index = 0; index < last; index++) stream.write(parts[index] as Uint8Array);
      if (last >= 0) stream.write(parts[last] as Uint8Array, written);
      stream.uncork();
    },
    get queuedBytes() {
      return stream.writableLength;
    },
    end() {
      stream.end();
    },
    close() {
      isClosedByUs = true;
      stream.destroy();
    },
  };
}

/** What strangers may hold open of a listener over TLS, whoever else is connected included. */
const MAX_TLS_CONNECTIONS = 1024;
const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;

async function listenDirect(
  address: { readonly host: string; readonly port: number; readonly tls: TlsSettings | null },
  accept: (socket: DirectSocket) => DirectSocketHandler,
): Promise<DirectListener> {
  const { host, port, tls } = address;
  const settings = { noDelay: true, keepAlive: true };
  const server =
    tls === null
      ? createServer({ ...settings, pauseOnConnect: true }, (accepted) => acceptPlain(accepted, accept))
      : createTlsServer({ ...settings, ...tlsServerOptions(tls) }, (accepted) => acceptChunks(accepted, accept));
  if (tls !== null) server.maxConnections = MAX_TLS_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // Accepting one connection may fail, for want of file descriptors; the next one may not.
  server.on('error', () => undefined);
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    close: () => {
      server.close();
    },
  };
}

/**
 * A socket that Node's server makes takes no `onread`, so a second one is put around its handle, which has not read
 * anything yet: receiving costs two thirds of the CPU time then. Where there is no handle to be had, chunks are copied.
 */
function acceptPlain(accepted: NetSocket, accept: (socket: DirectSocket) => DirectSocketHandler): void {
  const handle: unknown = Reflect.get(accepted, '_handle');
  if (typeof handle !== 'object' || handle === null) {
    acceptChunks(accepted, accept);
    return;
  }
  let handler: DirectSocketHandler | null = null;
  // The first buffer is asked for while the socket is made: before anybody can be told of it.
  const first = new Uint8Array(1024);
  let hasStarted = false;
  const options: SocketConstructorOpts = {
    onread: {
      buffer: () => handler?.buffer() ?? first,
      callback: (count) => {
        if (handler === null) return false;
        if (hasStarted) handler.received(count);
        else feed(stream, handler, first.subarray(0, count));
        hasStarted = true;
        return true;
      },
    },
  };
  // An option that Node's documents leave out.
  const stream = new NetSocket(Object.assign(options, { handle }));
  handler = accept(directSocket(stream, () => handler));
  stream.resume();
}

function acceptChunks(stream: NetSocket, accept: (socket: DirectSocket) => DirectSocketHandler): void {
  const handler = accept(directSocket(stream, () => handler));
  stream.on('data', (chunk: Uint8Array) => feed(stream, handler, chunk));
}

/** Copies what has arrived to where the handler wants it. */
function feed(stream: NetSocket, handler: DirectSocketHandler, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length && !stream.destroyed;) {
    const into = handler.buffer();
    const count = Math.min(into.length, chunk.length - at);
    into.set(chunk.subarray(at, at + count));
    handler.received(count);
    at += count;
  }
}

function tlsServerOptions(tls: TlsSettings): TlsOptions {
  return {
    handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS,
    requestCert: tls.ca !== null,
    rejectUnauthorized: tls.verify,
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
    ...(tls.passphrase === null ? {} : { passphrase: tls.passphrase }),
  };
}

/** `onread` is a documented option of tls.connect that its type lacks. */
function tlsOptions(host: string, port: number, onread: OnReadOpts, tls: TlsSettings): ConnectionOptions {
  const serverName = tls.serverName ?? (isIP(host) === 0 ? host : null);
  const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
    host,
    port,
    onread,
    rejectUnauthorized: tls.verify,
    ...(serverName === null ? {} : { servername: serverName }),
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
    ...(tls.passphrase === null ? {} : { passphrase: tls.passphrase }),
  };
  return options;
}

function wrapSocket(socket: ReturnType<typeof createConnection>): Socket {
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return {
    async read() {
      const next = await chunks.next();
      return next.done === true ? null : next.value;
    },
    write: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    close: () => {
      socket.destroy();
    },
  };
}

const streams: StandardStreams = {
  writeOutput: (bytes) =>
    new Promise((resolve, reject) => {
      process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
    }),
  writeError: (text) => {
    process.stderr.write(text);
  },
};

const channels: MessageChannels = {
  create: () => new MessageChannel(),
};

/** The ports of this thread. */
export const nodePorts: Ports = Object.freeze({
  clock,
  randomness,
  macrotasks,
  files,
  network,
  streams,
  channels,
});

/** Threads that run `entry`, a module that receives `data` as its workerData. */
export function nodeWorkerHost(entry: URL, variables?: Readonly<Record<string, string | undefined>>): WorkerHost {
  return {
    start(name, data, transfer = []): WorkerThread {
      const worker = new Worker(entry, {
        name,
        ...(variables === undefined ? {} : { env: variables }),
        workerData: data,
        transferList: [...transfer],
      });
      let failure: Error | null = null;
      worker.on('error', (error) => {
        failure = error instanceof Error ? error : new Error(String(error));
      });
      return {
        post: (message, items = []) => {
          worker.postMessage(message, [...items]);
        },
        onMessage: (listener) => worker.on('message', listener),
        onExit: (listener) => {
          worker.once('exit', (exitCode) => {
            listener(failure ?? (exitCode === 0 ? null : new Error(`thread ${name} ended with code ${exitCode}`)));
          });
        },
        async terminate() {
          await worker.terminate();
        },
      };
    },
  };
}
