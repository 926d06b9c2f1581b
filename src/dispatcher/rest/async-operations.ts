/**
 * What takes longer than a request, as Flink does it: whoever asks gets a trigger id, and asks with it for the outcome.
 * The ids may be chosen by clients, so that asking twice starts it once. All of it is forgotten with the process.
 */
import type { Clock, Randomness } from '../../core/index.ts';
import { clusterErrors } from '../errors.ts';
import { restErrors } from './errors.ts';

export type OperationKind = 'savepoint' | 'rescaling' | 'rebalancing';

export type OperationState =
  | { readonly kind: 'in-progress' }
  | { readonly kind: 'completed'; readonly result: OperationResult }
  | { readonly kind: 'failed'; readonly error: unknown };

/** What came of it, as JSON. */
export type OperationResult = Readonly<Record<string, unknown>>;

interface Operation {
  state: OperationState;
  endedAtMs: number | null;
}

/** As long as Flink. */
const KEPT_MS = 300_000;
const MAX_KEPT = 1000;
/** More than clients have reason to begin, and few enough to be remembered. */
const MAX_IN_PROGRESS = 200;
const TRIGGER_BYTES = 16;

export class AsyncOperations {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #randomness: Randomness;
  /** In the order of their start. */
  readonly #operations = new Map<string, Operation>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, randomness: Randomness) {
    this.#clock = clock;
    this.#randomness = randomness;
  }

  /**
   * Starts `run` unless this trigger of the job has been seen; returns its id. Throws MR-REST-BUSY where too many
   * others are under way.
   */
  start(kind: OperationKind, jobId: string, triggerId: string | null, run: () => Promise<OperationResult>): string {
    this.#forget();
    const trigger = triggerId ?? this.#randomness.hex(TRIGGER_BYTES);
    const key = keyOf(kind, jobId, trigger);
    if (this.#operations.has(key)) return trigger;
    const inProgress = [...this.#operations.values()].filter(({ endedAtMs }) => endedAtMs === null).length;
    if (inProgress >= MAX_IN_PROGRESS) throw restErrors.create('MR-REST-BUSY', { count: inProgress });
    const operation: Operation = { state: { kind: 'in-progress' }, endedAtMs: null };
    this.#operations.set(key, operation);
    const end = (state: OperationState): void => {
      operation.state = state;
      operation.endedAtMs = this.#clock.monotonicMs();
    };
    run().then(
      (result) => end({ kind: 'completed', result }),
      (error: unknown) => end({ kind: 'failed', error }),
    );
    return trigger;
  }

  /** Throws MR-CLUSTER-NOT-FOUND where there is none, or not any more. */
  read(kind: OperationKind, jobId: string, triggerId: string): OperationState {
    this.#forget();
    const operation = this.#operations.get(keyOf(kind, jobId, triggerId));
    if (operation !== undefined) return operation.state;
    throw clusterErrors.create('MR-CLUSTER-NOT-FOUND', { what: `${kind} operation`, id: triggerId });
  }

  #forget(): void {
    const nowMs = this.#clock.monotonicMs();
    let excess = this.#operations.size - MAX_KEPT;
    for (const [key, { endedAtMs }] of this.#operations) {
      const isOver = endedAtMs !== null && (nowMs - endedAtMs > KEPT_MS || excess > 0);
      if (isOver && this.#operations.delete(key)) excess--;
    }
  }
}

function keyOf(kind: OperationKind, jobId: string, triggerId: string): string {
  return `${kind} ${jobId} ${triggerId}`;
}
