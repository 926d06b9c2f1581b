/**
 * The ports to the world. Everything that the engine does with time, chance, files, sockets and threads goes through
 * one Ports value, handed down from the composition root, so that a whole cluster can run in one process from one seed.
 * The real ones are in node-ports.ts, the only home of the modules that they wrap.
 */

import type { MessagePort, Transferable as TransferListItem } from 'node:worker_threads';

export interface Clock {
  /** Milliseconds since the epoch. May jump. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start; never goes back. For durations and deadlines. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`. The timer keeps the process alive unless `background`. */
  schedule(delayMs: number, callback: () => void, background?: boolean): Timer;
  sleep(delayMs: number): Promise<void>;
}

export interface Timer {
  /** Harmless when the callback has run already. */
  cancel(): void;
}

export interface Randomness {
  /** In [0, 1). */
  next(): number;
  /** `byteCount` random bytes as lower-case hexadecimal digits. */
  hex(byteCount: number): string;
}

export interface Macrotasks {
  /** Resolves after pending I/O callbacks and timers had their turn. */
  yield(): Promise<void>;
}

export interface FileInfo {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Tells a file from a new one of the same name. */
  readonly inode: number;
}

export interface OpenFile {
  /** Reads up to `length` bytes at `position` into `buffer` from its start; resolves to the count, 0 at the end. */
  read(buffer: Uint8Array, length: number, position: number): Promise<number>;
  append(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** A lock on a file, which ends with the process at the latest. */
export interface FileLock {
  /** Whether the path still names the file that is locked: not where somebody has removed or replaced it. */
  isHeld(): Promise<boolean>;
  /** Harmless when repeated. */
  release(): Promise<void>;
}

export interface FileSystem {
  readText(path: string): Promise<string>;
  writeText(path: string, text: string): Promise<void>;
  /** `create` empties a file that is there; `create-new` rejects (EEXIST). */
  open(path: string, mode: 'read' | 'append' | 'create' | 'create-new'): Promise<OpenFile>;
  /** Null where nothing is there. */
  stat(path: string): Promise<FileInfo | null>;
  /** Regular files that match a glob (`*`, `**`, `?`, `[…]`, `{a,b}`), sorted by path. */
  glob(pattern: string): Promise<readonly FileInfo[]>;
  /** Names of what a directory holds, in any order; none where nothing is there. */
  list(path: string): Promise<readonly string[]>;
  makeDirectory(path: string): Promise<void>;
  /** Makes durable which names a directory holds: those created, renamed and removed before. */
  syncDirectory(path: string): Promise<void>;
  /** Harmless where nothing is there, and where the directory holds something or, as a mount, is to stay. */
  removeEmptyDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /**
   * Locks a file, made where it is missing, until release() or the end of the process, however it ends: the kernel
   * holds it. Resolves at once; where somebody has it, perhaps in this process, to the number of that process, or null
   * if that is not known. Such a file is for nothing else and is opened by nobody.
   */
  lock(path: string): Promise<FileLock | { readonly heldBy: number | null }>;
  /** Harmless where nothing is there; directories go with what they hold. */
  remove(path: string): Promise<void>;
}

export interface Socket {
  /** Resolves to the next bytes, or null once the other side has closed; rejects where the connection broke. */
  read(): Promise<Uint8Array | null>;
  /** Resolves when the bytes are handed to the system. */
  write(bytes: Uint8Array): Promise<void>;
  close(): void;
}

/** What a connection over TLS needs beside the address; certificates and keys are PEM. */
export interface TlsSettings {
  /** Null for the authorities that Node trusts. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly passphrase: string | null;
  /** The name that the certificate must bear, where it is not the host's. */
  readonly serverName: string | null;
  /** False accepts any certificate. */
  readonly verify: boolean;
}

/** The receiving side of a direct socket. Called synchronously, on the thread's event loop. */
export interface DirectSocketHandler {
  /** Where the next bytes go; never empty. Asked for once before the first bytes, and after each `received`. */
  buffer(): Uint8Array;
  /** The first `count` bytes of the buffer last asked for have arrived. */
  received(count: number): void;
  /** Called once, last: null after a regular end, else what broke the connection. Not called after close(). */
  closed(error: Error | null): void;
}

export interface DirectSocket {
  /**
   * Hands the parts to the system in order; they must not change until it has taken them, or until the other side has
   * answered. `written` is called once it has taken them all, or never will; not before write() returns.
   */
  write(parts: readonly Uint8Array[], written?: () => void): void;
  /** What the system has not taken yet. */
  readonly queuedBytes: number;
  /** The other side is told that nothing follows what was written; closed() is called once it has closed, too. */
  end(): void;
  close(): void;
}

export interface DirectListener {
  readonly port: number;
  /** Nobody is accepted any more; accepted sockets go on. */
  close(): void;
}

export interface Network {
  connect(host: string, port: number, timeoutMs: number): Promise<Socket>;
  /**
   * A connection whose received bytes are written straight to where its handler wants them: a third of the CPU time of
   * chunks that are copied together, for responses of megabytes. `tls` null is plain text.
   */
  connectDirect?(
    address: {
      readonly host: string;
      readonly port: number;
      readonly timeoutMs: number;
      readonly tls: TlsSettings | null;
    },
    handler: DirectSocketHandler,
  ): Promise<DirectSocket>;
  /**
   * Listens for connections of that kind; port 0 is any that is free. `tls` shows `cert`, and asks for a certificate
   * where there is a `ca`. `accept` is called once a connection is open, over TLS after its handshake, and says who
   * receives; before anything is received. Absent where there is no such thing.
   */
  listenDirect?(
    address: { readonly host: string; readonly port: number; readonly tls: TlsSettings | null },
    accept: (socket: DirectSocket) => DirectSocketHandler,
  ): Promise<DirectListener>;
  /**
   * Listens for processes of the same user on this machine, at a path of its own making that they have to be told.
   * Keeps no process alive. Absent where there is no such thing.
   */
  listenLocal?(accept: (socket: Socket) => void): Promise<LocalListener>;
  /**
   * Holds a TCP port, or one of the system's choice for 0, so that nobody else gets it; whoever connects is hung up on.
   * Keeps no process alive. Absent where there are no ports.
   */
  reservePort?(host: string, port: number): Promise<PortReservation>;
  /** Connects with what listens at that path; rejects where nothing does. */
  connectLocal?(path: string): Promise<Socket>;
}

export interface PortReservation {
  readonly port: number;
  /** The port can be listened at when this returns. */
  release(): void;
}

export interface LocalListener {
  readonly path: string;
  /** Nobody is accepted any more, and the path is gone; accepted sockets go on. */
  close(): Promise<void>;
}

/** Standard output carries results, standard error everything else. */
export interface StandardStreams {
  /** Resolves when the stream can take more. */
  writeOutput(bytes: Uint8Array): Promise<void>;
  writeError(text: string): void;
}

/** A thread that runs one slot. Messages are structured clones. */
export interface WorkerThread {
  post(message: unknown, transfer?: readonly TransferableItem[]): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once: null after a clean end, else what broke the thread. */
  onExit(listener: (error: Error | null) => void): void;
  terminate(): Promise<void>;
}

export interface WorkerHost {
  /** `data` reaches the thread as its initial value. */
  start(name: string, data: unknown, transfer?: readonly TransferableItem[]): WorkerThread;
}

/** What moves to another thread instead of being copied. */
export type TransferableItem = TransferListItem;

export interface MessageChannels {
  create(): { readonly port1: MessagePort; readonly port2: MessagePort };
}

/**
 * Named places in the commit protocol at which the crash test ends the process (docs/design/012). Absent in normal
 * operation.
 */
export interface CrashPoints {
  /** Called synchronously where the protocol is about to take, or has taken, the step of this name. */
  reached(name: CrashPoint): void;
}

export type CrashPoint =
  /** A subtask has the barrier on all inputs; nothing is captured yet. */
  | 'barrier-aligned'
  /** The sink's records are acknowledged; the handle is not yet in any message. */
  | 'transaction-flushed'
  /** A subtask's state files are durable; the JobMaster does not know. */
  | 'state-written'
  /** The JobMaster has all acknowledgements; no metadata is written. */
  | 'all-acknowledged'
  /** The metadata is durable; the pointer still names the last checkpoint. */
  | 'metadata-written'
  /** The pointer names the checkpoint; nothing is committed. */
  | 'pointer-moved'
  /** One transaction of the checkpoint is committed; perhaps others are not. */
  | 'transaction-committed'
  /** A restart has raised the generation; nothing of the old one is committed or aborted. */
  | 'generation-raised'
  /** A restart has committed the handles of the checkpoint; older transactions are still open. */
  | 'handles-committed'
  /** A restart has aborted what was left; nothing is deployed. */
  | 'older-aborted'
  /** All input is read and all tasks have ended; the last checkpoint is not taken. */
  | 'input-ended';

export interface Ports {
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly macrotasks: Macrotasks;
  readonly files: FileSystem;
  readonly network: Network;
  readonly streams: StandardStreams;
  readonly channels: MessageChannels;
  readonly crashPoints?: CrashPoints;
}
