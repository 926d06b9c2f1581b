import type { AttemptId, SerializedError, Split, StepId, SubtaskSnapshot } from '../core/index.ts';
import { isTerminalTask } from '../rpc/index.ts';
import type { SliceDescriptor, SlotReport, TaskState } from '../rpc/index.ts';

interface LedgerTask {
  readonly name: string;
  state: TaskState;
  error: SerializedError | null;
  final: SubtaskSnapshot | null;
  readonly sources: Map<StepId, { splits: readonly Split[]; isComplete: boolean }>;
}

/**
 * What the tasks of a slot have told, and what they were given: all that a new leader has to learn of them
 * (docs/design/018). It stays true after the thread has ended, until the slot is freed.
 */
export class SlotLedger {
  readonly #slice: SliceDescriptor;
  readonly #tasks: ReadonlyMap<AttemptId, LedgerTask>;

  constructor(slice: SliceDescriptor) {
    this.#slice = slice;
    this.#tasks = new Map(
      slice.tasks.map(({ attemptId, vertex: { name } }) => [
        attemptId,
        { name, state: 'DEPLOYING', error: null, final: null, sources: new Map() },
      ]),
    );
  }

  has(attempt: AttemptId): boolean {
    return this.#tasks.has(attempt);
  }

  /** The tasks that have not ended, with the names of their vertices. */
  get live(): readonly { readonly attemptId: AttemptId; readonly name: string; readonly state: TaskState }[] {
    const all = [...this.#tasks].map(([attemptId, { name, state }]) => ({ attemptId, name, state }));
    return all.filter(({ state }) => !isTerminalTask(state));
  }

  isLive(attempt: AttemptId): boolean {
    const task = this.#tasks.get(attempt);
    return task !== undefined && !isTerminalTask(task.state);
  }

  /** It is told to cancel: until it has ended nothing else is said of it. */
  cancelling(attempt: AttemptId): void {
    const task = this.#tasks.get(attempt);
    if (task !== undefined && !isTerminalTask(task.state)) task.state = 'CANCELING';
  }

  told(attempt: AttemptId, state: TaskState, error: SerializedError | null): void {
    const task = this.#tasks.get(attempt);
    if (task === undefined || (task.state === 'CANCELING' && !isTerminalTask(state))) return;
    task.state = state;
    task.error = error;
  }

  ended(attempt: AttemptId, final: SubtaskSnapshot): void {
    const task = this.#tasks.get(attempt);
    if (task !== undefined) task.final = final;
  }

  given(attempt: AttemptId, step: StepId, splits: readonly Split[]): void {
    const source = this.#source(attempt, step);
    if (source !== undefined) source.splits = [...source.splits, ...splits];
  }

  complete(attempt: AttemptId, step: StepId): void {
    const source = this.#source(attempt, step);
    if (source !== undefined) source.isComplete = true;
  }

  report(): SlotReport {
    const { jobId, attempt } = this.#slice;
    const tasks = [...this.#tasks].map(([attemptId, { state, error, final, sources }]) => ({
      attemptId,
      state,
      error,
      final,
      sources: [...sources].map(([stepId, { splits, isComplete }]) => ({ stepId, splits, isComplete })),
    }));
    return { jobId, attempt, tasks };
  }

  #source(attempt: AttemptId, step: StepId) {
    const sources = this.#tasks.get(attempt)?.sources;
    const known = sources?.get(step) ?? { splits: [], isComplete: false };
    sources?.set(step, known);
    return sources === undefined ? undefined : known;
  }
}
