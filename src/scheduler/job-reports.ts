import { deserializeError } from '../core/index.ts';
import type { AttemptId, MillraceError, SerializedError, SubtaskSnapshot } from '../core/index.ts';
import { EpochFence } from '../rpc/index.ts';
import type {
  CheckpointAcknowledgement,
  CheckpointDecline,
  JobMasterGateway,
  ProgressReport,
  TaskEnded,
  TaskReference,
  TaskState,
  TaskStateChange,
} from '../rpc/index.ts';

/** Who wants to know what tasks report. */
export interface JobReportHandlers {
  taskState(task: AttemptId, state: TaskState, error: MillraceError | null): void;
  acknowledged(message: CheckpointAcknowledgement): void;
  declined(task: AttemptId, checkpointId: number, error: SerializedError): void;
  committed(task: AttemptId, checkpointId: number): void;
  ended(task: AttemptId, snapshot: SubtaskSnapshot): void;
  progress(message: ProgressReport): void;
}

/**
 * What the tasks of a job report, in order. While a leader takes the job over it is held back: a task may report here
 * before the answer has come that says what it had reported before.
 */
export class JobReports implements JobMasterGateway {
  readonly #fence: EpochFence;
  readonly #handlers: JobReportHandlers;
  #held: (() => void)[] | null = null;

  /** `receiver` names it in errors. */
  constructor(receiver: string, handlers: JobReportHandlers) {
    this.#fence = new EpochFence(receiver);
    this.#handlers = handlers;
  }

  hold(): void {
    this.#held ??= [];
  }

  /** Hands over what has come meanwhile, and all that follows at once. */
  letGo(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const handle of held) handle();
  }

  taskStateChanged({ epoch, attemptId, state, error }: TaskStateChange): Promise<void> {
    return this.#take(epoch, () => {
      this.#handlers.taskState(attemptId, state, error === null ? null : deserializeError(error));
    });
  }

  acknowledgeCheckpoint(message: CheckpointAcknowledgement): Promise<void> {
    return this.#take(message.epoch, () => {
      this.#handlers.acknowledged(message);
    });
  }

  declineCheckpoint({ epoch, attemptId, checkpointId, error }: CheckpointDecline): Promise<void> {
    return this.#take(epoch, () => {
      this.#handlers.declined(attemptId, checkpointId, error);
    });
  }

  checkpointCommitted(message: TaskReference & { readonly checkpointId: number }): Promise<void> {
    return this.#take(message.epoch, () => {
      this.#handlers.committed(message.attemptId, message.checkpointId);
    });
  }

  taskEnded({ epoch, attemptId, snapshot }: TaskEnded): Promise<void> {
    return this.#take(epoch, () => {
      this.#handlers.ended(attemptId, snapshot);
    });
  }

  reportProgress(message: ProgressReport): Promise<void> {
    return this.#take(message.epoch, () => {
      this.#handlers.progress(message);
    });
  }

  async #take(epoch: number, handle: () => void): Promise<void> {
    this.#fence.check(epoch);
    if (this.#held === null) handle();
    else this.#held.push(handle);
  }
}
