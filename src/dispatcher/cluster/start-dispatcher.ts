import { toMillraceError } from '../../core/index.ts';
import type { Candidate, Contender, LeaderInfo, Leadership } from '../../ha/index.ts';
import type { ClusterService } from '../cluster-service.ts';
import { ClusterLeader, reporting } from './cluster-leader.ts';
import type { ClusterLeaderOptions } from './cluster-leader.ts';

export interface StartDispatcherOptions extends ClusterLeaderOptions {
  /** Where it is reached, once it leads. */
  readonly rpcAddress: string;
  /** With the scheme. */
  readonly restUrl: string;
  /** Called where another one leads: loads what jobs need, for which a takeover need not wait then. */
  readonly prepareTakeover?: () => Promise<unknown>;
  /** Called when it begins to lead, and when it does not any more. */
  readonly onLeading?: (isLeading: boolean) => void;
}

/** A Dispatcher of a cluster, which leads it or stands by. */
export interface RunningDispatcher {
  readonly dispatcherId: string;
  /** Null while another one leads. */
  readonly service: ClusterService | null;
  /** As far as it knows; null while nobody leads. */
  readonly leader: LeaderInfo | null;
  /** Hands the leadership over, where it has it: tasks go on under the next leader. Harmless when repeated. */
  close(): Promise<void>;
}

const ID_BYTES = 8;
/** After which a new leader that could not begin tries again. */
const RETRY_MS = 1000;

/** Starts a Dispatcher that contends for the leadership of its cluster: docs/design/018. */
export function startDispatcher(options: StartDispatcherOptions): RunningDispatcher {
  return new ClusterDispatcher(options);
}

class ClusterDispatcher implements RunningDispatcher {
  readonly dispatcherId: string;
  readonly #options: StartDispatcherOptions;
  readonly #contender: Contender;
  readonly #stopFollowing: () => void;
  #known: LeaderInfo | null = null;
  #leading: ClusterLeader | null = null;
  #stopWatchingProcess: () => void = () => undefined;
  #closed: Promise<void> | null = null;

  constructor(options: StartDispatcherOptions) {
    const { ha, ports, rpcAddress, restUrl } = options;
    this.#options = options;
    this.dispatcherId = ports.randomness.hex(ID_BYTES);
    const candidate: Candidate = { dispatcherId: this.dispatcherId, rpcAddress, restUrl };
    this.#contender = ha.contend(candidate, (leadership) => reporting(options.onProblem, this.#lead(leadership)));
    this.#stopFollowing = ha.watchLeader((leader) => this.#follow(leader));
  }

  get service(): ClusterService | null {
    return this.#leading?.service ?? null;
  }

  get leader(): LeaderInfo | null {
    return this.#known;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#stopFollowing();
    this.#stopWatchingProcess();
    this.#end(this.#leading);
    await this.#contender.close();
  }

  /** Leads until the leadership is lost, or handed over. */
  async #lead(leadership: Leadership): Promise<void> {
    const { ports, onProblem, onLeading } = this.#options;
    const { lost } = leadership;
    const isOver = (): boolean => lost.aborted || this.#closed !== null;
    lost.addEventListener('abort', () => this.#end(this.#leading), { once: true });
    while (!isOver()) {
      const leading = new ClusterLeader(this.#options, leadership);
      this.#leading = leading;
      try {
        await leading.begin();
        if (leading.service !== null) onLeading?.(true);
        return;
      } catch (error) {
        this.#end(leading);
        if (isOver()) return;
        onProblem(toMillraceError(error));
        await ports.clock.sleep(RETRY_MS);
      }
    }
  }

  #end(leading: ClusterLeader | null): void {
    const wasLeading = leading?.service != null;
    leading?.end();
    if (this.#leading === leading) this.#leading = null;
    if (wasLeading) this.#options.onLeading?.(false);
  }

  /** A leader whose process is known to be gone need not be waited for. */
  #follow(leader: LeaderInfo | null): void {
    const { rpc, onProblem, prepareTakeover } = this.#options;
    this.#known = leader;
    this.#stopWatchingProcess();
    this.#stopWatchingProcess = () => undefined;
    if (leader === null || leader.dispatcherId === this.dispatcherId) return;
    this.#stopWatchingProcess = rpc.watch(leader.rpcAddress, () => {
      reporting(onProblem, this.#contender.takeOver(leader));
    });
    if (prepareTakeover !== undefined) reporting(onProblem, prepareTakeover());
  }
}
