import { serializeError } from '../core/index.ts';
import type { AttemptId, Ports, SlotId, WorkerHost, WorkerThread } from '../core/index.ts';
import type { MessagePort } from 'node:worker_threads';
import { isTerminalTask } from '../rpc/index.ts';
import type { JobMasterGateway, SliceDescriptor, TaskState } from '../rpc/index.ts';
import { taskErrors } from './errors.ts';
import type { RuntimeLimits } from './runtime-limits.ts';
import type { FromSlot, SlotStart, ToSlot } from './slot-messages.ts';

/** How often the main thread looks whether a thread shows signs of life. */
const LOOK_INTERVAL_MS = 1000;
/** How long a thread whose runtime has ended may hold on to what its steps left open. */
const STOP_TIMEOUT_MS = 3000;

export interface SlotThreadOptions {
  readonly ports: Ports;
  readonly workerHost: WorkerHost;
  readonly limits: RuntimeLimits;
  readonly memoryBytes: number;
  readonly stateBytes: number | null;
  readonly workDirectory: string | null;
  readonly rack: string | null;
}

/**
 * The main thread's view of an occupied slot: passes messages between its thread and the JobMaster, and speaks for the
 * thread when it has died or does not answer.
 */
export class SlotThread {
  readonly slice: SliceDescriptor;
  readonly #options: SlotThreadOptions;
  readonly #jobMaster: JobMasterGateway;
  readonly #control: MessagePort;
  readonly #worker: WorkerThread;
  readonly #progress: Int32Array;
  /** Tasks that have not ended. */
  readonly #live = new Map<AttemptId, { state: TaskState; readonly name: string }>();
  readonly #exited: Promise<void>;
  #resolveExited: () => void = () => undefined;
  #cancelDeadlineMs: number | null = null;
  #looks = 0;
  #seen = 0;
  #isStopping = false;
  /** Why the thread is being ended, where that is our doing. */
  #verdict: 'none' | 'stuck' | 'cancelled' = 'none';

  constructor(slice: SliceDescriptor, jobMaster: JobMasterGateway, options: SlotThreadOptions) {
    this.slice = slice;
    this.#jobMaster = jobMaster;
    this.#options = options;
    this.#exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
    for (const { attemptId, vertex } of slice.tasks) {
      this.#live.set(attemptId, { state: 'DEPLOYING', name: vertex.name });
    }
    const { port1, port2 } = options.ports.channels.create();
    const progress = new SharedArrayBuffer(4);
    const { memoryBytes, stateBytes, workDirectory, rack, limits } = options;
    const settings = { memoryBytes, stateBytes, workDirectory, rack, limits };
    const start: SlotStart = { slotId: slice.slot.slotId, control: port2, progress, ...settings };
    this.#control = port1;
    this.#progress = new Int32Array(progress);
    port1.on('message', (message: FromSlot) => {
      this.#receive(message);
    });
    this.#worker = options.workerHost.start(`slot ${slice.slot.slotId}`, start, [port2]);
    this.#worker.onExit((error) => {
      this.#onExit(error);
    });
    this.#send({ kind: 'deploy', slice });
    this.#look();
  }

  get slotId(): SlotId {
    return this.slice.slot.slotId;
  }

  runs(attempt: AttemptId): boolean {
    return this.slice.tasks.some(({ attemptId }) => attemptId === attempt);
  }

  connect(peer: SlotId, port: MessagePort): void {
    this.#control.postMessage({ kind: 'connect', peer, port } satisfies ToSlot, [port]);
  }

  /** Passes on what concerns one task. */
  pass(message: Exclude<ToSlot, { readonly kind: 'deploy' | 'connect' | 'cancel' | 'stop' }>): void {
    this.#send(message);
  }

  cancel(attempt: AttemptId): void {
    const task = this.#live.get(attempt);
    if (task === undefined) return;
    task.state = 'CANCELING';
    this.#cancelDeadlineMs ??= this.#options.ports.clock.monotonicMs() + this.#options.limits.cancelTimeoutMs;
    this.#send({ kind: 'cancel', attemptId: attempt });
  }

  /** Ends the thread; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#live.clear();
    this.#send({ kind: 'stop' });
    const timer = this.#options.ports.clock.schedule(STOP_TIMEOUT_MS, () => {
      void this.#worker.terminate();
    });
    await this.#exited;
    timer.cancel();
  }

  #receive(message: FromSlot): void {
    const { epoch, jobId } = this.slice;
    if (message.kind === 'progress') {
      const { steps, sources } = message;
      this.#deliver(this.#jobMaster.reportProgress({ epoch, jobId, slotId: this.slotId, steps, sources }));
      return;
    }
    const task = this.#live.get(message.attemptId);
    if (task === undefined) return;
    const reference = { epoch, jobId, attemptId: message.attemptId };
    switch (message.kind) {
      case 'state': {
        const { state, error } = message;
        if (isTerminalTask(state)) this.#live.delete(message.attemptId);
        this.#deliver(this.#jobMaster.taskStateChanged({ ...reference, state, error }));
        return;
      }
      case 'acknowledge': {
        const { checkpointId, snapshot, metrics } = message;
        this.#deliver(this.#jobMaster.acknowledgeCheckpoint({ ...reference, checkpointId, snapshot, metrics }));
        return;
      }
      case 'decline': {
        const { checkpointId, error } = message;
        this.#deliver(this.#jobMaster.declineCheckpoint({ ...reference, checkpointId, error }));
        return;
      }
      case 'committed': {
        const { checkpointId } = message;
        this.#deliver(this.#jobMaster.checkpointCommitted({ ...reference, checkpointId }));
        return;
      }
      case 'ended':
        this.#deliver(this.#jobMaster.taskEnded({ ...reference, snapshot: message.snapshot }));
    }
  }

  #onExit(error: Error | null): void {
    this.#control.close();
    const reason = error?.message ?? 'it ended by itself';
    for (const [attemptId, task] of this.#live) {
      const isCancelled = this.#verdict === 'cancelled' && task.state === 'CANCELING';
      const failure =
        this.#verdict === 'stuck'
          ? this.#stuckError()
          : taskErrors.create('MR-TASK-THREAD-LOST', { slot: this.slotId, reason }, error ?? undefined);
      const { epoch, jobId } = this.slice;
      this.#deliver(
        this.#jobMaster.taskStateChanged({
          epoch,
          jobId,
          attemptId,
          state: isCancelled ? 'CANCELED' : 'FAILED',
          error: isCancelled ? null : serializeError(failure),
        }),
      );
    }
    this.#live.clear();
    this.#resolveExited();
    this.#isStopping = true;
  }

  /** Looks for signs of life, once a second until the end. */
  #look(): void {
    this.#options.ports.clock.schedule(
      LOOK_INTERVAL_MS,
      () => {
        if (this.#isStopping) return;
        this.#judge();
        this.#look();
      },
      true,
    );
  }

  #judge(): void {
    const { stuckTimeoutMs } = this.#options.limits;
    const count = Atomics.load(this.#progress, 0);
    this.#looks = count === this.#seen ? this.#looks + 1 : 0;
    this.#seen = count;
    const isLate =
      this.#cancelDeadlineMs !== null && this.#options.ports.clock.monotonicMs() >= this.#cancelDeadlineMs;
    if (this.#live.size === 0 || this.#verdict !== 'none') return;
    if (isLate) this.#verdict = 'cancelled';
    else if (stuckTimeoutMs > 0 && this.#looks * LOOK_INTERVAL_MS >= stuckTimeoutMs) this.#verdict = 'stuck';
    else return;
    void this.#worker.terminate();
  }

  #stuckError(): Error {
    const tasks = [...this.#live.values()].map(({ name }) => name).join(', ');
    const seconds = Math.round(this.#options.limits.stuckTimeoutMs / 1000);
    return taskErrors.create('MR-TASK-STUCK', { slot: this.slotId, seconds, tasks });
  }

  #send(message: ToSlot): void {
    this.#control.postMessage(message);
  }

  /** A JobMaster that is gone does not need to be told. */
  #deliver(call: Promise<void>): void {
    call.catch(() => undefined);
  }
}

