import { toMillraceError, type Clock, type MillraceError } from '../../core/index.ts';
import { haErrors } from '../errors.ts';
import { Pause } from '../pause.ts';
import { failureOf, type ConnectZooKeeper } from './connection.ts';
import { ZooKeeperSession } from './session.ts';

/** After a failure that waiting may mend. */
const RETRY_MS = 1_000;

export interface SessionKeeperOptions {
  readonly connect: ConnectZooKeeper;
  readonly clock: Clock;
  /** Where ZooKeeper is, for messages. */
  readonly address: string;
  readonly onProblem: (error: MillraceError) => void;
}

/** Something that is done in every session anew. It ends by itself soon after the session does. */
export type SessionTask = (session: ZooKeeperSession) => Promise<void>;

/** Has a session at any time, and starts every task anew in each. */
export class SessionKeeper {
  readonly #options: SessionKeeperOptions;
  readonly #tasks = new Set<SessionTask>();
  readonly #pause: Pause;
  #session: ZooKeeperSession;
  readonly #closing = new AbortController();

  constructor(options: SessionKeeperOptions) {
    this.#options = options;
    this.#pause = new Pause(options.clock);
    this.#session = this.#begin();
  }

  /** Does `task` in this session and in all later ones, until the returned function is called. */
  run(task: SessionTask): () => void {
    this.#tasks.add(task);
    void this.#perform(task, this.#session);
    return () => this.#tasks.delete(task);
  }

  /** Nothing is started any more; the server removes at once what lasts as long as the session. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#tasks.clear();
    this.#pause.wake();
    await this.#session.close();
  }

  #isOpen(): boolean {
    return !this.#closing.signal.aborted;
  }

  #begin(): ZooKeeperSession {
    const session = new ZooKeeperSession(this.#options.connect, this.#options.clock);
    session.ended.addEventListener('abort', () => void this.#follow(session), { once: true });
    return session;
  }

  /** The next session, after one that is over. */
  async #follow(last: ZooKeeperSession): Promise<void> {
    if (!this.#isOpen()) return;
    if (last.connection.state === 'refused') {
      this.#report('open', 'a session', 'the user or the password is wrong');
      await this.#pause.wait(RETRY_MS);
    }
    await last.connection.close();
    if (!this.#isOpen()) return;
    this.#session = this.#begin();
    for (const task of this.#tasks) void this.#perform(task, this.#session);
  }

  async #perform(task: SessionTask, session: ZooKeeperSession): Promise<void> {
    while (this.#tasks.has(task) && !session.ended.aborted) {
      try {
        await task(session);
        return;
      } catch (error) {
        const failure = failureOf(error);
        if (failure === 'session-ended') return;
        const what = 'the nodes of this cluster';
        if (failure === 'not-authorised') this.#report('read or write', what, 'they belong to somebody else');
        else if (failure !== 'connection-loss') this.#options.onProblem(toMillraceError(error));
        await this.#options.clock.sleep(RETRY_MS);
      }
    }
  }

  #report(operation: string, what: string, reason: string): void {
    const { address: connect, onProblem } = this.#options;
    onProblem(haErrors.create('MR-HA-REFUSED', { connect, operation, what, reason }));
  }
}
