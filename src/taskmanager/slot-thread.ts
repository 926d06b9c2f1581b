import { serializeError, toMillraceError } from '../core/index.ts';
import type { AttemptId, Ports, SerializedError, SlotId, WorkerHost, WorkerThread } from '../core/index.ts';
import type { MessagePort } from 'node:worker_threads';
import type { JobMasterGateway, SliceDescriptor, SlotReport, TaskState } from '../rpc/index.ts';
import { taskErrors } from './errors.ts';
import { ReportQueue } from './report-queue.ts';
import type { RuntimeLimits } from './runtime-limits.ts';
import type { SlotCopies } from './slot-copies.ts';
import { SlotLedger } from './slot-ledger.ts';
import type { DataPlaneSettings, FromSlot, SlotStart, ToSlot } from './slot-messages.ts';

/** How often the main thread looks whether a thread shows signs of life. */
const LOOK_INTERVAL_MS = 1000;
/** How long a thread may take until its first sign of life: it loads what it runs, perhaps on a busy machine. */
const START_TIMEOUT_MS = 60_000;
/** How long a thread whose runtime has ended may hold on to what its steps left open. */
const STOP_TIMEOUT_MS = 3000;

export interface SlotThreadOptions {
  readonly ports: Ports;
  readonly workerHost: WorkerHost;
  readonly limits: RuntimeLimits;
  readonly memoryBytes: number;
  readonly stateBytes: number | null;
  readonly workDirectory: string | null;
  readonly copies: SlotCopies | null;
  readonly rack: string | null;
  /** Null where only slots of this process can reach it. */
  readonly data: DataPlaneSettings | null;
  /** The slice, once the code that it came with is in files of this machine; null where it came with none. */
  readonly localised: Promise<SliceDescriptor> | null;
}

/**
 * The main thread's view of an occupied slot: passes messages between its thread and the JobMaster, and speaks for the
 * thread when it has died or does not answer.
 */
export class SlotThread {
  readonly slice: SliceDescriptor;
  readonly #options: SlotThreadOptions;
  readonly #ledger: SlotLedger;
  readonly #control: MessagePort;
  readonly #worker: WorkerThread;
  readonly #progress: Int32Array;
  readonly #exited: Promise<void>;
  #resolveExited: () => void = () => undefined;
  /** Resolves when no task is left that has not ended. */
  readonly #idle: Promise<void>;
  #resolveIdle: () => void = () => undefined;
  #end: Promise<void> | null = null;
  /** To whom the tasks report, and the epoch of that JobMaster. */
  #reports: ReportQueue;
  #epoch: number;
  #cancelDeadlineMs: number | null = null;
  #looks = 0;
  #seen = 0;
  #isStopping = false;
  /** What the thread is told once it has its slice, while that waits for code. */
  #held: ToSlot[] | null = null;
  /** Why the thread is being ended, where that is our doing. */
  #verdict: 'none' | 'stuck' | 'cancelled' = 'none';

  constructor(slice: SliceDescriptor, jobMaster: JobMasterGateway, options: SlotThreadOptions) {
    this.slice = slice;
    this.#options = options;
    this.#ledger = new SlotLedger(slice);
    this.#reports = new ReportQueue(jobMaster, options.ports);
    this.#epoch = slice.epoch;
    this.#exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
    this.#idle = new Promise((resolve) => {
      this.#resolveIdle = resolve;
    });
    const { port1, port2 } = options.ports.channels.create();
    const progress = new SharedArrayBuffer(4);
    const { memoryBytes, stateBytes, workDirectory, rack, limits, data, copies } = options;
    const settings = { memoryBytes, stateBytes, workDirectory, rack, limits };
    const start: SlotStart = {
      slotId: slice.slot.slotId,
      control: port2,
      progress,
      ...settings,
      ...(data === null ? {} : { data }),
      ...(copies === null ? {} : { copies }),
    };
    this.#control = port1;
    this.#progress = new Int32Array(progress);
    port1.on('message', (message: FromSlot) => {
      this.#receive(message);
    });
    this.#worker = options.workerHost.start(`slot ${slice.slot.slotId}`, start, [port2]);
    this.#worker.onExit((error) => {
      this.#onExit(error);
    });
    if (options.localised === null) this.#send({ kind: 'deploy', slice });
    else void this.#deployOnce(options.localised);
    this.#look();
  }

  async #deployOnce(localised: Promise<SliceDescriptor>): Promise<void> {
    this.#held = [];
    let slice: SliceDescriptor | null = null;
    try {
      slice = await localised;
    } catch (error) {
      const failure = serializeError(toMillraceError(error));
      for (const { attemptId } of this.#ledger.live) this.#tell(attemptId, 'FAILED', failure);
    }
    const held = this.#held;
    this.#held = null;
    // All of its tasks have ended while it waited.
    if (slice === null || this.#isStopping || this.#ledger.live.length === 0) return;
    this.#send({ kind: 'deploy', slice });
    for (const message of held) this.#send(message);
  }

  get slotId(): SlotId {
    return this.slice.slot.slotId;
  }

  runs(attempt: AttemptId): boolean {
    return this.#ledger.has(attempt);
  }

  /** From now on reports go to this JobMaster, all that the returned one does not tell. */
  adopt(jobMaster: JobMasterGateway, epoch: number): SlotReport {
    this.#reports.close();
    this.#reports = new ReportQueue(jobMaster, this.#options.ports);
    this.#epoch = epoch;
    return this.#ledger.report();
  }

  connect(peer: SlotId, port: MessagePort): void {
    this.#control.postMessage({ kind: 'connect', peer, port } satisfies ToSlot, [port]);
  }

  /** Passes on what concerns one task. */
  pass(message: Exclude<ToSlot, { readonly kind: 'deploy' | 'connect' | 'cancel' | 'stop' }>): void {
    if (message.kind === 'add-splits') this.#ledger.given(message.attemptId, message.stepId, message.splits);
    if (message.kind === 'no-more-splits') this.#ledger.complete(message.attemptId, message.stepId);
    this.#send(message);
  }

  cancel(attempt: AttemptId): void {
    if (!this.#ledger.isLive(attempt)) return;
    this.#ledger.cancelling(attempt);
    this.#cancelDeadlineMs ??= this.#options.ports.clock.monotonicMs() + this.#options.limits.cancelTimeoutMs;
    this.#send({ kind: 'cancel', attemptId: attempt });
    // It has not begun, and will not.
    if (this.#held !== null) this.#tell(attempt, 'CANCELED', null);
  }

  /** Whether its end was asked for. */
  get isEnding(): boolean {
    return this.#end !== null;
  }

  /** Cancels what still runs and ends the thread; resolves when it is gone. */
  end(): Promise<void> {
    this.#end ??= this.#cancelAndStop();
    return this.#end;
  }

  async #cancelAndStop(): Promise<void> {
    for (const { attemptId } of this.#ledger.live) this.cancel(attemptId);
    if (this.#ledger.live.length > 0) await this.#idle;
    this.#isStopping = true;
    this.#reports.close();
    this.#control.postMessage({ kind: 'stop' } satisfies ToSlot);
    const timer = this.#options.ports.clock.schedule(STOP_TIMEOUT_MS, () => {
      void this.#worker.terminate();
    });
    await this.#exited;
    timer.cancel();
  }

  #receive(message: FromSlot): void {
    const epoch = this.#epoch;
    const { jobId } = this.slice;
    if (message.kind === 'progress') {
      const { steps, sources } = message;
      const report = { epoch, jobId, slotId: this.slotId, steps, sources };
      this.#reports.sendLatest((master) => master.reportProgress(report));
      return;
    }
    if (!this.#ledger.isLive(message.attemptId)) return;
    const reference = { epoch, jobId, attemptId: message.attemptId };
    switch (message.kind) {
      case 'state':
        this.#tell(message.attemptId, message.state, message.error);
        return;
      case 'acknowledge': {
        const { checkpointId, snapshot, metrics } = message;
        const report = { ...reference, checkpointId, snapshot, metrics };
        // So many handles that they fit into no message: the checkpoint cannot be, and that is said.
        this.#reports.send(
          (master) => master.acknowledgeCheckpoint(report),
          (error) => {
            this.#reports.send((master) => master.declineCheckpoint({ ...reference, checkpointId, error }));
          },
        );
        return;
      }
      case 'decline': {
        const { checkpointId, error } = message;
        this.#reports.send((master) => master.declineCheckpoint({ ...reference, checkpointId, error }));
        return;
      }
      case 'committed': {
        const { checkpointId } = message;
        this.#reports.send((master) => master.checkpointCommitted({ ...reference, checkpointId }));
        return;
      }
      case 'ended': {
        const { snapshot } = message;
        this.#ledger.ended(message.attemptId, snapshot);
        // Without it the job would never end.
        this.#reports.send(
          (master) => master.taskEnded({ ...reference, snapshot }),
          (error) => {
            if (this.#ledger.isLive(message.attemptId)) this.#tell(message.attemptId, 'FAILED', error);
          },
        );
      }
    }
  }

  #tell(attemptId: AttemptId, state: TaskState, error: SerializedError | null): void {
    this.#ledger.told(attemptId, state, error);
    const report = { epoch: this.#epoch, jobId: this.slice.jobId, attemptId, state, error };
    this.#reports.send((master) => master.taskStateChanged(report));
    if (this.#ledger.live.length === 0) this.#resolveIdle();
  }

  #onExit(error: Error | null): void {
    this.#control.close();
    const reason = error?.message ?? 'it ended by itself';
    const failure = serializeError(
      this.#verdict === 'stuck'
        ? this.#stuckError()
        : taskErrors.create('MR-TASK-THREAD-LOST', { slot: this.slotId, reason }, error ?? undefined),
    );
    for (const { attemptId, state } of this.#ledger.live) {
      const isCancelled = this.#verdict === 'cancelled' && state === 'CANCELING';
      this.#tell(attemptId, isCancelled ? 'CANCELED' : 'FAILED', isCancelled ? null : failure);
    }
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
    if (this.#ledger.live.length === 0 || this.#verdict !== 'none') return;
    if (isLate) this.#verdict = 'cancelled';
    else if (stuckTimeoutMs > 0 && this.#looks * LOOK_INTERVAL_MS >= this.#patienceMs) this.#verdict = 'stuck';
    else return;
    void this.#worker.terminate();
  }

  get #patienceMs(): number {
    const { stuckTimeoutMs } = this.#options.limits;
    return this.#seen === 0 ? Math.max(stuckTimeoutMs, START_TIMEOUT_MS) : stuckTimeoutMs;
  }

  #stuckError(): Error {
    const tasks = this.#ledger.live.map(({ name }) => name).join(', ');
    const seconds = Math.round(this.#patienceMs / 1000);
    return taskErrors.create('MR-TASK-STUCK', { slot: this.slotId, seconds, tasks });
  }

  #send(message: ToSlot): void {
    if (this.#held === null) this.#control.postMessage(message);
    else this.#held.push(message);
  }
}
