import { serializeError, stepId } from '../core/index.ts';
import type { AttemptId, CheckpointStorage, MillraceError, SlotId } from '../core/index.ts';
import type { SliceDescriptor, SourceProgress, TaskDescriptor, TaskState } from '../rpc/index.ts';
import { buildSubtask } from './build-subtask.ts';
import type { BuiltSubtask } from './build-subtask.ts';
import type { SourceHead } from './chain-head.ts';
import type { CheckpointReports } from './checkpoints/subtask-checkpoints.ts';
import { localCopiesOf } from './slot-copies.ts';
import type { SlotDependencies } from './slot-entry.ts';
import { taskErrors } from './errors.ts';
import { PeerLinks } from './exchange/tcp/peer-links.ts';
import { ThreadPort } from './exchange/thread-port.ts';
import { peersOf, SlotLinks } from './slot-links.ts';
import { SlotState } from './slot-state.ts';
import type { AccountedState } from './slot-state.ts';
import type { FromSlot, SlotStart, ToSlot } from './slot-messages.ts';
import { stepFailure } from '../rpc/index.ts';
import { openCheckpointStorage } from '../state/index.ts';
import type { LocalCopies } from '../state/index.ts';
import { Subtask } from './subtask.ts';
import type { SubtaskSurroundings } from './subtask.ts';
import { TaskLoop } from './task-loop.ts';

interface DeployedSubtask {
  readonly subtask: Subtask;
  readonly built: BuiltSubtask;
}

/** What runs on the thread of one slot: its subtasks, and the conversation with the TaskManager. */
class SlotRuntime {
  readonly #start: SlotStart;
  readonly #dependencies: SlotDependencies;
  readonly #progress: Int32Array;
  readonly #loop: TaskLoop;
  readonly #subtasks = new Map<AttemptId, DeployedSubtask>();
  /** Looked at only when it is time to: not at every turn. */
  readonly #accountedStates: Iterable<AccountedState> = { [Symbol.iterator]: () => this.#states() };
  /** Messages about links that came before the slice did. */
  readonly #early: Extract<ToSlot, { readonly kind: 'connect' }>[] = [];
  #links: SlotLinks | null = null;
  #peers: PeerLinks<SlotId> | null = null;
  #state: SlotState | null = null;
  /** Null where state files have no copies here. */
  #copies: LocalCopies | null = null;

  constructor(start: SlotStart, dependencies: SlotDependencies) {
    this.#start = start;
    this.#dependencies = dependencies;
    this.#progress = new Int32Array(start.progress);
    this.#loop = new TaskLoop(dependencies.ports, start.limits, () => {
      this.#showLife();
      this.#checkState();
    });
  }

  /** Resolves when the slot has been stopped. */
  async run(): Promise<void> {
    const { control, limits } = this.#start;
    const { clock } = this.#dependencies.ports;
    control.on('message', (message: ToSlot) => {
      this.#receive(message);
    });
    const report = (): void => {
      this.#showLife();
      this.#report();
      for (const { subtask, built } of this.#subtasks.values()) if (subtask.isRunning) built.sink?.checkHealth();
      timer = clock.schedule(limits.reportIntervalMs, report, true);
    };
    let timer = clock.schedule(limits.reportIntervalMs, report, true);
    await this.#loop.run();
    timer.cancel();
    this.#peers?.close();
    await this.#links?.close();
    control.close();
  }

  #receive(message: ToSlot): void {
    switch (message.kind) {
      case 'deploy':
        this.#deploy(message.slice);
        return;
      case 'connect':
        if (this.#links === null) this.#early.push(message);
        else this.#links.connect(message.peer, new ThreadPort(message.port));
        return;
      case 'add-splits':
        this.#toSource(message.attemptId, message.stepId, (source) => source.addSplits(message.splits));
        return;
      case 'no-more-splits':
        this.#toSource(message.attemptId, message.stepId, (source) => source.noMoreSplits());
        return;
      case 'trigger-checkpoint':
        this.#subtasks.get(message.attemptId)?.subtask.triggerCheckpoint(message);
        return;
      case 'checkpoint-completed':
        this.#subtasks.get(message.attemptId)?.subtask.checkpointCompleted(message.checkpointId);
        void this.#copies?.completed(message.checkpointId);
        return;
      case 'checkpoint-aborted':
        this.#subtasks.get(message.attemptId)?.subtask.checkpointAborted(message.checkpointId);
        void this.#copies?.aborted(message.checkpointId);
        return;
      case 'align-watermark':
        this.#subtasks.get(message.attemptId)?.built.source?.align(message.maxWatermarkMs);
        return;
      case 'cancel':
        this.#subtasks.get(message.attemptId)?.subtask.cancel();
        return;
      case 'stop':
        this.#loop.stop();
    }
  }

  #deploy(slice: SliceDescriptor): void {
    const { memoryBytes, limits } = this.#start;
    const links = new SlotLinks(slice, memoryBytes, limits.credits, (attempt, error) => {
      this.#subtasks.get(attempt)?.subtask.fail(error);
    });
    this.#links = links;
    for (const { peer, port } of this.#early) links.connect(peer, new ThreadPort(port));
    const { ports } = this.#dependencies;
    const { stateBytes: machineBytes, workDirectory } = this.#start;
    const state = new SlotState({ slice, machineBytes, workDirectory, ports });
    this.#state = state;
    const storage = this.#openStorage(slice);
    const deployed = slice.tasks.flatMap((task) => this.#create(task, slice, links, storage));
    // All channels have both ends before anything flows.
    for (const { subtask } of deployed) subtask.start();
    this.#connectElsewhere(slice, links);
  }

  #openStorage(slice: SliceDescriptor): CheckpointStorage | null {
    const { ports, openStorage = openCheckpointStorage } = this.#dependencies;
    const { slotId, copies } = this.#start;
    if (slice.checkpointing === null) return null;
    const storage = openStorage(slice.checkpointing.storage, ports);
    if (copies !== undefined) this.#copies = localCopiesOf(copies, { slotId, slice, storage, ports });
    return this.#copies ?? storage;
  }

  /** Links the slot with those of other processes: the main thread only knows its own. */
  #connectElsewhere(slice: SliceDescriptor, links: SlotLinks): void {
    const peers = peersOf(slice).filter(({ taskManagerId }) => taskManagerId !== slice.slot.taskManagerId);
    if (peers.length === 0) return;
    const { slotId, data: settings, limits } = this.#start;
    const reachable = peers.flatMap(({ slotId: peer, data: address }) =>
      address === null ? [] : [{ slotId: peer, address }],
    );
    if (settings === undefined || reachable.length < peers.length) {
      const peer = peers.find(({ data }) => data === null) ?? peers[0];
      const error = taskErrors.create('MR-TASK-PEER-ELSEWHERE', { slot: slotId, peer: peer?.slotId ?? '' });
      for (const each of peers) links.lost(each.slotId, error);
      return;
    }
    this.#peers = new PeerLinks<SlotId>({
      jobId: slice.jobId,
      attempt: slice.attempt,
      slotId,
      peers: reachable,
      settings,
      limits,
      ports: this.#dependencies.ports,
      connected: (peer, port) => links.connect(peer, port),
      failed: (peer, error) => links.lost(peer, error),
    });
    this.#peers.open();
  }

  #create(
    task: TaskDescriptor,
    slice: SliceDescriptor,
    links: SlotLinks,
    storage: CheckpointStorage | null,
  ): DeployedSubtask[] {
    const { ports } = this.#dependencies;
    const { rack, limits } = this.#start;
    const { watermarkIntervalMs } = limits;
    const around: SubtaskSurroundings = {
      ports,
      limits,
      loop: this.#loop,
      reports: ({ attemptId }) => this.#reportsOf(attemptId),
      onState: (subtask, state, error) => {
        if (state === 'FINISHED' || state === 'CANCELED' || state === 'FAILED') this.#report();
        this.#tell(subtask.attemptId, state, error);
      },
    };
    try {
      const state = this.#state as SlotState;
      const materials = { ...this.#dependencies, slice, links, rack, watermarkIntervalMs, storage, state };
      const built = buildSubtask(task, materials);
      const deployed = { subtask: new Subtask(built.parts, around), built };
      this.#subtasks.set(task.attemptId, deployed);
      return [deployed];
    } catch (error) {
      this.#tell(task.attemptId, 'FAILED', stepFailure(error, task.vertex.name, null));
      return [];
    }
  }

  #reportsOf(attempt: AttemptId): CheckpointReports {
    return {
      acknowledge: (message) => {
        this.#copies?.names(message.checkpointId, message.snapshot);
        this.#send({ kind: 'acknowledge', attemptId: attempt, ...message });
      },
      decline: (message) => {
        this.#send({ kind: 'decline', attemptId: attempt, ...message });
      },
      committed: (checkpointId) => {
        this.#send({ kind: 'committed', attemptId: attempt, checkpointId });
      },
      ended: (snapshot) => {
        // The totals are exact from now on.
        this.#report();
        this.#send({ kind: 'ended', attemptId: attempt, snapshot });
      },
    };
  }

  #toSource(attempt: AttemptId, step: string, act: (source: SourceHead) => void): void {
    const deployed = this.#subtasks.get(attempt);
    const source = deployed?.built.source;
    if (deployed === undefined || !source || source.stepId !== step || !deployed.subtask.isRunning) return;
    try {
      act(source);
    } catch (error) {
      deployed.subtask.fail(error, step);
    }
    deployed.subtask.wake();
  }

  /** Ends the task whose step takes most, where all take too much. */
  #checkState(): void {
    const excess = this.#state?.check(this.#accountedStates) ?? null;
    if (excess === null) return;
    for (const { subtask, built } of this.#subtasks.values()) {
      if (built.states.some(({ stepId: step }) => step === excess.stepId)) subtask.fail(excess.error, excess.stepId);
    }
  }

  *#states(): Generator<AccountedState> {
    for (const { built } of this.#subtasks.values()) yield* built.states;
  }

  #showLife(): void {
    Atomics.add(this.#progress, 0, 1);
  }

  #report(): void {
    const nowMs = this.#dependencies.ports.clock.monotonicMs();
    for (const { subtask } of this.#subtasks.values()) if (subtask.isRunning) subtask.time.settle(nowMs);
    const steps = [...this.#subtasks.values()].flatMap(({ subtask }) =>
      subtask.counters.totals().map(({ stepId: step, counters }) => ({
        stepId: stepId(step),
        subtaskIndex: subtask.subtaskIndex,
        attemptId: subtask.attemptId,
        counters,
      })),
    );
    const sources = [...this.#subtasks.values()].flatMap(({ subtask, built }): SourceProgress[] => {
      const progress = built.source?.progress ?? null;
      return progress === null ? [] : [{ attemptId: subtask.attemptId, ...progress }];
    });
    this.#send({ kind: 'progress', steps, sources });
  }

  #tell(attempt: AttemptId, state: TaskState, error: MillraceError | null): void {
    this.#send({ kind: 'state', attemptId: attempt, state, error: error === null ? null : serializeError(error) });
  }

  #send(message: FromSlot): void {
    this.#start.control.postMessage(message);
  }
}

/**
 * Runs one slot on the calling thread until its TaskManager frees it. `data` is what the thread was started with.
 * Called by the module that a WorkerHost runs; when it has resolved, nothing of ours keeps the thread alive.
 */
export function runSlot(data: unknown, dependencies: SlotDependencies): Promise<void> {
  return new SlotRuntime(data as SlotStart, dependencies).run();
}

