import { deserializeError, messageOf } from '../../core/index.ts';
import type { Ports, SerializedError, Timer } from '../../core/index.ts';
import { MAX_MESSAGE_BYTES, rpcErrors, tooLarge, unreachable } from '../errors.ts';
import type { CallOutcome } from '../errors.ts';
import { Connection } from './connection.ts';
import type { ConnectionEnd } from './connection.ts';
import type { AnswerFrame, CallFrame, WelcomeFrame } from './control-plane.ts';
import { decodePlainData } from './plain-data.ts';
import type { ProtocolVersions } from './protocol-versions.ts';
import type { GrpcTls } from './transport-options.ts';

/** Bodies of calls that wait for their answers. */
const MAX_WAITING_BYTES = 4 * MAX_MESSAGE_BYTES;
/** The pause before the third attempt after two that failed; doubled with each, up to the longest. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

export interface PeerOptions {
  /** Of the calling process. */
  readonly processId: string;
  readonly token: string | null;
  readonly versions: ProtocolVersions;
  readonly tls: GrpcTls | null;
  readonly ports: Pick<Ports, 'clock' | 'network'>;
  readonly callTimeoutMs: number;
  /** Larger than all before: a receiver remembers the newest connection of a process longer than a Peer lives. */
  readonly nextConnection: () => number;
}

interface WaitingCall {
  readonly frame: CallFrame;
  readonly timer: Timer;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Told what becomes of the connections to a process. */
export interface PeerObserver {
  opened(processId: string): void;
  closed(): void;
}

/** The calls to one address, over one connection after another. Each is sent once at most. */
export class Peer {
  readonly address: string;
  readonly #options: PeerOptions;
  readonly #observer: PeerObserver;
  /** By id, in the order in which they were made. */
  readonly #waiting = new Map<number, WaitingCall>();
  /** Ids of those that wait for a connection. */
  #unsent = new Set<number>();
  #waitingBytes = 0;
  #lastId = 0;
  #connection: Connection | null = null;
  #failedInARow = 0;
  #lastFailureMs = 0;
  #pause: Timer | null = null;
  #closedFor: string | null = null;

  /** `address` is `host:port`. */
  constructor(address: string, options: PeerOptions, observer: PeerObserver) {
    this.address = address;
    this.#options = options;
    this.#observer = observer;
  }

  get isConnected(): boolean {
    return this.#connection?.isOpen ?? false;
  }

  /** Nothing is going on, and nothing went on lately that it has to remember. */
  get isUnused(): boolean {
    if (this.#connection !== null || this.#pause !== null || this.#waiting.size > 0) return false;
    return this.#options.ports.clock.monotonicMs() - this.#lastFailureMs > LONGEST_PAUSE_MS;
  }

  /** Sends it, now or once there is a connection. */
  call(call: Omit<CallFrame, 'id'>): Promise<unknown> {
    const { gateway, name, method, body } = call;
    const address = `${this.address}/${name}`;
    if (body.byteLength > MAX_MESSAGE_BYTES) {
      return Promise.reject(tooLarge(gateway, address, method, body.byteLength));
    }
    const refusal =
      this.#closedFor ??
      (this.#waitingBytes + body.byteLength > MAX_WAITING_BYTES
        ? `${this.#waitingBytes} bytes of calls wait for its answers`
        : null);
    if (refusal !== null) return Promise.reject(unreachable(gateway, address, refusal, 'none'));
    this.#lastId++;
    const frame = { ...call, id: this.#lastId };
    const { clock } = this.#options.ports;
    const { callTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = clock.schedule(callTimeoutMs, () => {
        this.#fail(frame.id, `no answer within ${callTimeoutMs} ms`);
      });
      this.#waiting.set(frame.id, { frame, timer, resolve, reject });
      this.#waitingBytes += body.byteLength;
      if (this.#connection?.isOpen === true) {
        this.#connection.send(frame);
      } else {
        this.#unsent.add(frame.id);
        this.connect();
      }
    });
  }

  /** Makes sure that there is a connection, or soon will be. */
  connect(): void {
    if (this.#connection !== null || this.#pause !== null || this.#closedFor !== null) return;
    const { clock } = this.#options.ports;
    const pauseMs =
      this.#failedInARow < 2 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failedInARow - 2));
    const remainingMs = this.#lastFailureMs + pauseMs - clock.monotonicMs();
    if (pauseMs === 0 || remainingMs <= 0) {
      this.#open();
    } else {
      this.#pause = clock.schedule(remainingMs, () => {
        this.#pause = null;
        this.#open();
      });
    }
  }

  close(reason: string): void {
    this.#closedFor = reason;
    this.#pause?.cancel();
    this.#pause = null;
    this.#connection?.close(reason);
    this.#failAll({ reason, refusal: null });
  }

  #open(): void {
    const { ports, processId, token, versions, tls, callTimeoutMs, nextConnection } = this.#options;
    const greeting = { versions, processId, connection: nextConnection(), address: this.address, token };
    let hasOpened = false;
    const connection = new Connection(
      { greeting, tls, clock: ports.clock, timeoutMs: callTimeoutMs },
      {
        opened: (welcome) => {
          hasOpened = true;
          this.#opened(connection, welcome);
        },
        answered: (answer) => this.#answered(answer),
        closed: (end) => this.#closed(end, hasOpened),
      },
    );
    this.#connection = connection;
  }

  #opened(connection: Connection, { processId }: WelcomeFrame): void {
    this.#failedInARow = 0;
    const unsent = this.#unsent;
    this.#unsent = new Set();
    for (const id of unsent) {
      const call = this.#waiting.get(id);
      if (call !== undefined) connection.send(call.frame);
    }
    this.#observer.opened(processId);
  }

  #closed(end: ConnectionEnd, hadOpened: boolean): void {
    this.#connection = null;
    if (!hadOpened) {
      this.#failedInARow++;
      this.#lastFailureMs = this.#options.ports.clock.monotonicMs();
    }
    this.#failAll(end);
    this.#observer.closed();
  }

  #answered({ callId, result, failure }: AnswerFrame): void {
    const call = this.#settle(callId);
    if (call === undefined) return;
    try {
      if (failure !== undefined) call.reject(deserializeError(decodePlainData(failure) as SerializedError));
      else call.resolve(decodePlainData(result as Uint8Array));
    } catch (error) {
      const { gateway: kind, name, method } = call.frame;
      const fields = { kind, address: `${this.address}/${name}`, method, reason: messageOf(error) };
      call.reject(rpcErrors.create('MR-RPC-BAD-MESSAGE', fields, error));
    }
  }

  #settle(id: number): WaitingCall | undefined {
    const call = this.#waiting.get(id);
    if (call === undefined) return undefined;
    this.#waiting.delete(id);
    this.#waitingBytes -= call.frame.body.byteLength;
    call.timer.cancel();
    return call;
  }

  #failAll(end: ConnectionEnd): void {
    for (const id of [...this.#waiting.keys()]) this.#fail(id, end.reason, end.refusal);
  }

  #fail(id: number, reason: string, refusal: ConnectionEnd['refusal'] = null): void {
    const outcome: CallOutcome = this.#unsent.delete(id) ? 'none' : 'unknown';
    const call = this.#settle(id);
    if (call === undefined) return;
    const { gateway, name } = call.frame;
    if (refusal === 'token') call.reject(rpcErrors.create('MR-RPC-UNAUTHORIZED', { address: this.address, reason }));
    else if (refusal === 'version') call.reject(rpcErrors.create('MR-RPC-VERSION', { address: this.address, reason }));
    else call.reject(unreachable(gateway, `${this.address}/${name}`, reason, outcome));
  }
}
