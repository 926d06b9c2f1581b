/**
 * A TaskManager's standing with the leader (docs/design/018, "Registration and heartbeats"):
 *
 *     leader appears ──► register ◄──────┐ refused or unreachable: again, after a pause
 *                           │ ───────────┘
 *                           ▼
 *                       heartbeats ──► not known: register
 *
 * Whatever the leader is, it is out of touch until it has answered; for too long, and the tasks are given up.
 */
import { toMillraceError } from '../core/index.ts';
import type { MillraceError, Ports, TaskManagerId, Timer } from '../core/index.ts';
import type {
  EpochFence,
  LeaderReference,
  LeaderWatch,
  ResourceManagerGateway,
  RpcTransport,
  TaskManagerRegistration,
} from '../rpc/index.ts';
import { retryDelayMs } from './retry-delay.ts';

export interface LeaderSessionOptions {
  readonly taskManagerId: TaskManagerId;
  readonly rpc: RpcTransport;
  readonly leaders: LeaderWatch;
  readonly ports: Pick<Ports, 'clock' | 'randomness'>;
  /** Learns of every leader. */
  readonly fence: EpochFence;
  /** What to register, at that moment. */
  readonly registration: () => Omit<TaskManagerRegistration, 'epoch'>;
  /** How long tasks go on without any leader; Infinity for ever. */
  readonly orphanTimeoutMs: number;
  /** Called each time that this has passed. */
  readonly onOrphaned: () => void;
  /** Told why the leader cannot be reached, or refuses; once for each reason in a row. */
  readonly onProblem?: (error: MillraceError) => void;
}

/** One leader, for as long as it is the one. */
interface Term {
  readonly leader: LeaderReference;
  readonly resourceManager: ResourceManagerGateway;
  isKnown: boolean;
  /** Null where the leader does not want to hear. */
  heartbeatIntervalMs: number | null;
}

/** How long it waits for another leader to take leave of. */
const SUCCESSOR_MS = 3000;
/** The longest that a timer can be set for. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class LeaderSession {
  /** Resolves with the first registration. */
  readonly registered: Promise<void>;
  readonly #options: LeaderSessionOptions;
  readonly #stopWatching: () => void;
  #term: Term | null = null;
  #isLeaving = false;
  /** Raised when there is something new to register. */
  #revision = 0;
  #orphanTimer: Timer | null = null;
  #successorTimer: Timer | null = null;
  /** What was told last. */
  #problem = '';
  #endPause: () => void = () => undefined;
  #onRegistered: () => void = () => undefined;
  #onForsaken: () => void = () => undefined;

  constructor(options: LeaderSessionOptions) {
    this.#options = options;
    this.registered = new Promise((resolve) => {
      this.#onRegistered = resolve;
    });
    this.#outOfTouch();
    this.#stopWatching = options.leaders((leader) => {
      this.#changed(leader);
    });
  }

  /** What was registered has changed. */
  registerAgain(): void {
    this.#revision++;
    if (this.#term === null || this.#isLeaving) return;
    this.#term.isKnown = false;
    this.#endPause();
  }

  /**
   * Tells the leader that it gets no more tasks; heartbeats go on. Resolves to false where nobody can be told, else
   * to a promise that resolves once nobody is there any more who would free its slots.
   */
  async leave(): Promise<false | { readonly forsaken: Promise<void> }> {
    this.#isLeaving = true;
    const term = this.#term;
    if (term === null) return false;
    const forsaken = new Promise<void>((resolve) => {
      this.#onForsaken = resolve;
    });
    const { taskManagerId } = this.#options;
    try {
      await term.resourceManager.unregisterTaskManager({ epoch: term.leader.epoch, taskManagerId });
    } catch {
      return false;
    }
    return this.#term !== term || !term.isKnown ? false : { forsaken };
  }

  close(): void {
    this.#stopWatching();
    this.#endTerm();
    this.#inTouch();
  }

  #changed(leader: LeaderReference | null): void {
    const { fence, rpc } = this.#options;
    const present = this.#term?.leader;
    const address = leader?.resourceManagerAddress;
    if (leader !== null && leader.epoch === present?.epoch && address === present.resourceManagerAddress) return;
    // The watch may lag behind what a newer leader has said itself.
    if (leader !== null && leader.epoch < fence.newest) return;
    if (this.#isLeaving) {
      this.#partFrom(leader);
      return;
    }
    this.#endTerm();
    if (leader === null) return;
    fence.check(leader.epoch);
    const resourceManager = rpc.connect('resource-manager', leader.resourceManagerAddress);
    this.#term = { leader, resourceManager, isKnown: false, heartbeatIntervalMs: null };
    void this.#serve(this.#term);
  }

  /** The leader has changed while it leaves: the next one is told, or it would wait for the tasks that ran here. */
  #partFrom(leader: LeaderReference | null): void {
    const { rpc, fence, taskManagerId, ports } = this.#options;
    const isForsaken = (): void => {
      this.#onForsaken();
    };
    this.#term = null;
    this.#endPause();
    this.#outOfTouch();
    if (leader === null) {
      this.#successorTimer ??= ports.clock.schedule(SUCCESSOR_MS, isForsaken, true);
      return;
    }
    fence.check(leader.epoch);
    const next = rpc.connect('resource-manager', leader.resourceManagerAddress);
    next.unregisterTaskManager({ epoch: leader.epoch, taskManagerId }).then(isForsaken, isForsaken);
  }

  #endTerm(): void {
    this.#successorTimer?.cancel();
    this.#term = null;
    this.#endPause();
    this.#onForsaken();
    this.#outOfTouch();
  }

  async #serve(term: Term): Promise<void> {
    const { clock, randomness } = this.#options.ports;
    for (let failures = 0; this.#term === term; ) {
      const startedAtMs = clock.monotonicMs();
      const isHeard = await this.#call(term);
      if (this.#term !== term) return;
      failures = isHeard ? 0 : failures + 1;
      if (isHeard) this.#inTouch();
      else this.#outOfTouch();
      if (!term.isKnown) {
        if (this.#isLeaving) return this.#endTerm();
        if (!isHeard) await this.#pause(retryDelayMs(failures, randomness));
        continue;
      }
      this.#onRegistered();
      const { heartbeatIntervalMs: interval } = term;
      await this.#pause(interval === null ? null : interval - (clock.monotonicMs() - startedAtMs));
    }
  }

  /** Registers, or says that it is still there. Resolves to whether it was answered. */
  async #call(term: Term): Promise<boolean> {
    const { leader, resourceManager } = term;
    const { epoch } = leader;
    const { taskManagerId, registration } = this.#options;
    const revision = this.#revision;
    try {
      if (term.isKnown) {
        const { isKnown } = await resourceManager.heartbeat({ epoch, taskManagerId });
        if (!isKnown) term.isKnown = false;
      } else {
        const answer = await resourceManager.registerTaskManager({ epoch, ...registration() });
        term.isKnown = revision === this.#revision;
        term.heartbeatIntervalMs = answer.heartbeatIntervalMs;
      }
      this.#problem = '';
      return true;
    } catch (error) {
      // Gone, or replaced: the watch says so.
      const problem = toMillraceError(error);
      if (this.#term === term && problem.message !== this.#problem) this.#options.onProblem?.(problem);
      this.#problem = problem.message;
      return false;
    }
  }

  /** Until something has changed where the time is null. */
  #pause(delayMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = delayMs === null ? null : this.#options.ports.clock.schedule(Math.max(0, delayMs), resolve, true);
      this.#endPause = () => {
        timer?.cancel();
        resolve();
      };
    });
  }

  #inTouch(): void {
    this.#orphanTimer?.cancel();
    this.#orphanTimer = null;
  }

  #outOfTouch(): void {
    const { orphanTimeoutMs, onOrphaned, ports } = this.#options;
    if (this.#orphanTimer !== null || orphanTimeoutMs > LONGEST_TIMER_MS) return;
    const orphaned = (): void => {
      this.#orphanTimer = null;
      // One that can reach us, but not we it, may deploy again.
      this.#outOfTouch();
      onOrphaned();
    };
    this.#orphanTimer = ports.clock.schedule(orphanTimeoutMs, orphaned, true);
  }
}
