import { makeDurableDirectory, toMillraceError, type FileLock } from '../../core/index.ts';
import { toJson } from '../announced.ts';
import type { Candidate, Contender, Leadership } from '../high-availability.ts';
import { Pause } from '../pause.ts';
import { reportingFailure } from '../reporting-failure.ts';
import { openStored, sealStored } from '../stored-bytes.ts';
import { Term } from '../term.ts';
import type { ClusterDirectory, EmbeddedCluster, EmbeddedClusterPorts } from './cluster-directory.ts';
import { EmbeddedFencedStore } from './embedded-fenced-store.ts';
import { Member } from './members.ts';
import { readWhole, replaceWhole } from './whole-file.ts';

const POLL_MS = 100;
const CHECK_HELD_MS = 1_000;
/** After which a leader that was deposed contends again: others come first. */
const DEPOSED_PAUSE_MS = 10_000;
const EPOCH_KEY = 'epoch';

/** Waits for the lock of the directory, leads while it holds it, and begins again once it has lost it. */
export class EmbeddedContender implements Contender {
  readonly #directory: ClusterDirectory;
  readonly #ports: EmbeddedClusterPorts;
  readonly #onProblem: EmbeddedCluster['onProblem'];
  readonly #candidate: Candidate;
  readonly #onGranted: (leadership: Leadership) => void;
  readonly #pause: Pause;
  readonly #running: Promise<void>;
  #term: Term | null = null;
  #isClosed = false;

  constructor(
    { directory, ports, onProblem }: EmbeddedCluster,
    candidate: Candidate,
    onGranted: (leadership: Leadership) => void,
  ) {
    this.#directory = directory;
    this.#ports = ports;
    this.#onProblem = onProblem;
    this.#candidate = candidate;
    this.#onGranted = onGranted;
    this.#pause = new Pause(ports.clock);
    this.#running = this.#run();
  }

  /** The kernel frees the lock of a leader that is dead, so that nothing has to be taken from it. */
  takeOver(): Promise<void> {
    this.#pause.wake();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#term?.lose('it has withdrawn');
    this.#pause.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (;;) {
      const what = { operation: 'lock', record: 'the leadership', directory: this.#directory.path };
      const wasDeposed = await reportingFailure(what, () => this.#tryToLead()).catch((error: unknown) => {
        this.#onProblem(toMillraceError(error));
        return false;
      });
      if (this.#isClosed) return;
      await this.#pause.wait(wasDeposed ? DEPOSED_PAUSE_MS : POLL_MS);
    }
  }

  /** Resolves to whether it has led and was deposed. */
  async #tryToLead(): Promise<boolean> {
    if (this.#isClosed) return false;
    const { files } = this.#ports;
    await makeDurableDirectory(files, this.#directory.store);
    await makeDurableDirectory(files, this.#directory.members);
    const lock = await files.lock(this.#directory.leaderLock);
    if ('heldBy' in lock) return false;
    try {
      return await this.#lead(lock);
    } finally {
      await lock.release();
    }
  }

  async #lead(lock: FileLock): Promise<boolean> {
    const { files, randomness } = this.#ports;
    const term = new Term(await this.#raiseEpoch(lock));
    const guid = randomness.hex(16);
    const member = await Member.join(files, this.#directory, guid, null);
    const store = new EmbeddedFencedStore(this.#directory, this.#ports, term, lock);
    const published = toJson({ ...this.#candidate, epoch: term.epoch, guid });
    const publish = (): Promise<void> =>
      store.inTurn('publish', 'leader', () => store.replace(this.#directory.leader, published));
    this.#term = term;
    try {
      if (this.#isClosed) return false;
      this.#onGranted({ epoch: term.epoch, store, lost: term.lost, publish });
      await this.#whileHeld(term, lock);
      return !this.#isClosed;
    } finally {
      this.#term = null;
      term.lose('it has ended');
      await store.settled();
      if (await lock.isHeld()) await files.remove(this.#directory.leader);
      await member.leave();
    }
  }

  /** Resolves when the term has ended; ends it where somebody has removed or replaced the lock. */
  async #whileHeld(term: Term, lock: FileLock): Promise<void> {
    const ended = term.ended();
    void ended.then(() => this.#pause.wake());
    while (!term.lost.aborted) {
      await this.#pause.wait(CHECK_HELD_MS);
      if (!(await lock.isHeld())) term.lose(`${this.#directory.leaderLock} was removed or replaced`);
    }
  }

  async #raiseEpoch(lock: FileLock): Promise<number> {
    const { files, randomness } = this.#ports;
    const path = this.#directory.epoch;
    const found = await readWhole(files, path);
    const epoch = found === null ? 1 : openStored(found, path, EPOCH_KEY).version + 1;
    const operationId = randomness.hex(16);
    const raised = { key: EPOCH_KEY, version: epoch, operationId, value: new Uint8Array() };
    await replaceWhole(files, path, sealStored(raised), {
      checkHeld: async () => {
        if (!(await lock.isHeld())) throw new Error(`${this.#directory.leaderLock} was removed or replaced`);
      },
      isReplaced: async () => {
        const now = await readWhole(files, path);
        return now !== null && openStored(now, path, EPOCH_KEY).operationId === operationId;
      },
    });
    return epoch;
  }
}
