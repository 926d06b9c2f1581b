import type { Clock, Timer } from '../../core/index.ts';
import { failureOf, ZooKeeperError, type ConnectZooKeeper, type ZooKeeperConnection } from './connection.ts';

/** Of the session's timeout: between two heartbeats. */
const HEARTBEAT_SHARE = 1 / 6;
/** Without an answer for so long, the connection is taken for dead and another one made. */
const RECONNECT_SHARE = 1 / 3;
/** Without an answer for so long, another may soon lead: whoever leads in this session steps down. */
const DEAD_MAN_SHARE = 2 / 3;

/**
 * One session of ZooKeeper, as long as it lasts, over any number of connections. The client never notices a link that
 * has fallen silent, so this does: by a heartbeat of its own.
 */
export class ZooKeeperSession {
  readonly #clock: Clock;
  readonly #connection: ZooKeeperConnection;
  readonly #ended = new AbortController();
  readonly #silentListeners = new Set<() => void>();
  readonly #connectedListeners = new Set<() => void>();
  /** When the last request was sent that has been answered: the server's own count begins no earlier. */
  #heardMs: number;
  #isBeating = false;
  #reconnectedMs: number;
  #timer: Timer | null = null;

  constructor(connect: ConnectZooKeeper, clock: Clock) {
    this.#clock = clock;
    this.#heardMs = this.#reconnectedMs = clock.monotonicMs();
    this.#connection = connect((state) => {
      if (state === 'connected') this.#onConnected();
      else if (state !== 'disconnected') this.#end();
    });
    this.#watch();
  }

  get connection(): ZooKeeperConnection {
    return this.#connection;
  }

  /** Aborts when the session is over. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Asks until there is an answer, however often the connection breaks: for what may be repeated. Rejects when the
   * session is over, and when `until` aborts, with its reason.
   */
  async repeat<T>(ask: (connection: ZooKeeperConnection) => Promise<T>, until?: AbortSignal): Promise<T> {
    for (;;) {
      await this.connected(until);
      const sentMs = this.#clock.monotonicMs();
      try {
        const answer = await ask(this.#connection);
        this.#heard(sentMs);
        return answer;
      } catch (error) {
        if (failureOf(error) !== 'connection-loss') throw error;
        until?.throwIfAborted();
      }
    }
  }

  /** Resolves while there is a connection; rejects like repeat(). */
  async connected(until?: AbortSignal): Promise<void> {
    until?.throwIfAborted();
    if (this.#connection.state === 'connected') return;
    if (this.ended.aborted) throw sessionOver();
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        stop();
        this.ended.removeEventListener('abort', settle);
        until?.removeEventListener('abort', settle);
        if (until?.aborted === true) reject(until.reason as Error);
        else if (this.ended.aborted) reject(sessionOver());
        else resolve();
      };
      const stop = this.onConnected(settle);
      this.ended.addEventListener('abort', settle);
      until?.addEventListener('abort', settle);
    });
  }

  /** Calls back whenever a connection is made: watches have to be set anew then. */
  onConnected(listener: () => void): () => void {
    this.#connectedListeners.add(listener);
    return () => this.#connectedListeners.delete(listener);
  }

  /** Calls back when the server has been silent for so long that the session may soon be over for it. */
  onSilent(listener: () => void): () => void {
    this.#silentListeners.add(listener);
    return () => this.#silentListeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#end();
    await this.#connection.close();
  }

  #end(): void {
    this.#timer?.cancel();
    this.#ended.abort();
  }

  #onConnected(): void {
    // What the server has granted may be less than was known before.
    this.#beat();
    for (const listener of [...this.#connectedListeners]) listener();
  }

  #beat(): void {
    if (this.#isBeating || this.#connection.state !== 'connected') return;
    this.#isBeating = true;
    const sentMs = this.#clock.monotonicMs();
    this.#connection.exists('/').then(
      () => {
        this.#isBeating = false;
        this.#heard(sentMs);
      },
      () => {
        this.#isBeating = false;
      },
    );
  }

  #heard(sentMs: number): void {
    this.#heardMs = Math.max(this.#heardMs, sentMs);
  }

  #watch(): void {
    if (this.ended.aborted) return;
    const nowMs = this.#clock.monotonicMs();
    const timeoutMs = this.#connection.sessionTimeoutMs;
    const silentMs = nowMs - this.#heardMs;
    if (silentMs >= timeoutMs * DEAD_MAN_SHARE) {
      for (const listener of [...this.#silentListeners]) listener();
    }
    const quietMs = Math.min(silentMs, nowMs - this.#reconnectedMs);
    if (quietMs >= timeoutMs * RECONNECT_SHARE) {
      this.#reconnectedMs = nowMs;
      this.#connection.reconnect();
    }
    this.#beat();
    const untilDeadMs = timeoutMs * DEAD_MAN_SHARE - silentMs;
    const delayMs = timeoutMs * HEARTBEAT_SHARE;
    this.#timer = this.#clock.schedule(untilDeadMs > 0 ? Math.min(delayMs, untilDeadMs) : delayMs, () => this.#watch());
  }
}

function sessionOver(): ZooKeeperError {
  return new ZooKeeperError('session-ended', 'the session is over');
}
