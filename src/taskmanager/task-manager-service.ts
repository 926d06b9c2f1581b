import type { JobId, Ports, SlotId, TaskManagerId, WorkerHost } from '../core/index.ts';
import { EpochFence } from '../rpc/index.ts';
import type {
  Fenced,
  RpcTransport,
  SliceDescriptor,
  SlotReport,
  TaskManagerGateway,
  TaskReference,
} from '../rpc/index.ts';
import { CopiesKeeper } from './copies-keeper.ts';
import type { DataPorts } from './data-ports.ts';
import { taskErrors } from './errors.ts';
import { JobCodeCache } from './job-code-cache.ts';
import type { RuntimeLimits } from './runtime-limits.ts';
import type { SlotCopies } from './slot-copies.ts';
import { peersOf } from './slot-links.ts';
import { SlotThread } from './slot-thread.ts';

type Message<Method extends keyof TaskManagerGateway> = Parameters<TaskManagerGateway[Method]>[0];

export interface TaskManagerServiceOptions {
  readonly taskManagerId: TaskManagerId;
  readonly rpc: RpcTransport;
  readonly ports: Ports;
  readonly workerHost: WorkerHost;
  readonly slotIds: readonly SlotId[];
  readonly slotMemoryBytes: number;
  readonly slotStateBytes: number | null;
  readonly workDirectory: string | null;
  /** Null where state files have no copies here. */
  readonly copies: SlotCopies | null;
  readonly rack: string | null;
  readonly limits: RuntimeLimits;
  /** Null where only slots of this process can reach its own. */
  readonly dataPorts: DataPorts | null;
}

/** What a TaskManager is told, and its occupied slots. */
export class TaskManagerService implements TaskManagerGateway {
  /** Refuses what leaders say that were replaced. */
  readonly fence: EpochFence;
  readonly #options: TaskManagerServiceOptions;
  /** Occupied slots. */
  readonly #threads = new Map<SlotId, SlotThread>();
  readonly #freed = new WeakMap<SlotThread, Promise<void>>();
  readonly #code: JobCodeCache;
  readonly #copies: CopiesKeeper | null;
  #isClosing = false;
  #onEmpty: () => void = () => undefined;

  constructor(options: TaskManagerServiceOptions) {
    this.#options = options;
    this.fence = new EpochFence(`TaskManager ${options.taskManagerId}`);
    const { workDirectory, rpc, ports, copies } = options;
    const { files, clock } = ports;
    this.#code = new JobCodeCache({ directory: workDirectory, rpc, files });
    this.#copies = copies === null ? null : new CopiesKeeper({ directory: copies.directory, files, clock });
  }

  get slotMemoryBytes(): number {
    return this.#options.slotMemoryBytes;
  }

  /** What runs in a slot, even where it is about to be freed; null for a free one. */
  occupantOf(slot: SlotId): { readonly jobId: JobId; readonly attempt: number } | null {
    const slice = this.#threads.get(slot)?.slice;
    return slice === undefined ? null : { jobId: slice.jobId, attempt: slice.attempt };
  }

  deploy(slice: SliceDescriptor): Promise<void> {
    this.fence.check(slice.epoch);
    this.#checkSlot(slice);
    const localPeers = this.#localPeersOf(slice);
    const { rpc, ports, workerHost, rack, limits, slotStateBytes, slotMemoryBytes } = this.#options;
    const { workDirectory, copies } = this.#options;
    const { slotId: slot } = slice.slot;
    const thread = new SlotThread(slice, rpc.connect('job-master', slice.jobMasterAddress), {
      ports,
      workerHost,
      limits,
      memoryBytes: slotMemoryBytes,
      stateBytes: slotStateBytes,
      workDirectory,
      copies,
      rack,
      data: this.#options.dataPorts?.handOver(slot) ?? null,
      localised: this.#code.localise(slice),
    });
    this.#connect(thread, localPeers);
    this.#threads.set(slot, thread);
    this.#copies?.occupied(slot, slice.jobId);
    return Promise.resolve();
  }

  // Nothing may be told between reading what was told and turning to the new JobMaster: both in one turn.
  adoptSlot(message: Message<'adoptSlot'>): Promise<SlotReport> {
    const { epoch, slotId: slot, jobId, attempt, jobMasterAddress } = message;
    this.fence.check(epoch);
    const thread = this.#threads.get(slot);
    const isThere = thread?.slice.jobId === jobId && thread.slice.attempt === attempt && !thread.isEnding;
    if (!isThere) {
      const occupant = ` that runs attempt ${attempt} of job ${jobId}`;
      const { taskManagerId: taskManager } = this.#options;
      throw taskErrors.create('MR-TASK-UNKNOWN-SLOT', { taskManager, slot, occupant });
    }
    return Promise.resolve(thread.adopt(this.#options.rpc.connect('job-master', jobMasterAddress), epoch));
  }

  addSplits(message: Message<'addSplits'>): Promise<void> {
    const { attemptId, stepId, splits } = message;
    this.#threadOf(message)?.pass({ kind: 'add-splits', attemptId, stepId, splits });
    return Promise.resolve();
  }

  noMoreSplits(message: Message<'noMoreSplits'>): Promise<void> {
    const { attemptId, stepId } = message;
    this.#threadOf(message)?.pass({ kind: 'no-more-splits', attemptId, stepId });
    return Promise.resolve();
  }

  triggerCheckpoint(message: Message<'triggerCheckpoint'>): Promise<void> {
    const { attemptId, checkpointId, triggeredAtMs } = message;
    const { stopsSource = false, drains = false, isAligned = false } = message;
    const trigger = { checkpointId, triggeredAtMs, stopsSource, drains, isAligned };
    this.#threadOf(message)?.pass({ kind: 'trigger-checkpoint', attemptId, ...trigger });
    return Promise.resolve();
  }

  checkpointCompleted(message: Message<'checkpointCompleted'>): Promise<void> {
    const { attemptId, checkpointId } = message;
    this.#threadOf(message)?.pass({ kind: 'checkpoint-completed', attemptId, checkpointId });
    return Promise.resolve();
  }

  checkpointAborted(message: Message<'checkpointAborted'>): Promise<void> {
    const { attemptId, checkpointId } = message;
    this.#threadOf(message)?.pass({ kind: 'checkpoint-aborted', attemptId, checkpointId });
    return Promise.resolve();
  }

  alignWatermark(message: Message<'alignWatermark'>): Promise<void> {
    const { attemptId, maxWatermarkMs } = message;
    this.#threadOf(message)?.pass({ kind: 'align-watermark', attemptId, maxWatermarkMs });
    return Promise.resolve();
  }

  cancel(message: TaskReference): Promise<void> {
    this.#threadOf(message)?.cancel(message.attemptId);
    return Promise.resolve();
  }

  async freeSlot(message: Message<'freeSlot'>): Promise<void> {
    this.fence.check(message.epoch);
    const thread = this.#threads.get(message.slotId);
    if (thread?.slice.jobId !== message.jobId) return;
    if (message.attempt === undefined || message.attempt === thread.slice.attempt) await this.#free(thread);
  }

  /** Takes nothing new from now on. Resolves when all slots are free. */
  async empty(): Promise<void> {
    this.#isClosing = true;
    if (this.#threads.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  /** Cancels all tasks; resolves when the slots are free. */
  async freeAll(): Promise<void> {
    await Promise.all([...this.#threads.values()].map((thread) => this.#free(thread)));
  }

  /** Called once, when all slots are free. */
  close(): void {
    this.#copies?.close();
  }

  #free(thread: SlotThread): Promise<void> {
    const freed = this.#freed.get(thread) ?? this.#endAndForget(thread);
    this.#freed.set(thread, freed);
    return freed;
  }

  async #endAndForget(thread: SlotThread): Promise<void> {
    await thread.end();
    await this.#options.dataPorts?.takeBack(thread.slotId);
    this.#threads.delete(thread.slotId);
    this.#copies?.freed(thread.slotId);
    await this.#code.release(thread.slice);
    if (this.#threads.size === 0) this.#onEmpty();
  }

  #checkSlot(slice: SliceDescriptor): void {
    const { slotId: slot } = slice.slot;
    const { taskManagerId: taskManager } = this.#options;
    if (!this.#options.slotIds.includes(slot)) {
      throw taskErrors.create('MR-TASK-UNKNOWN-SLOT', { taskManager, slot, occupant: '' });
    }
    if (this.#isClosing) throw taskErrors.create('MR-TASK-MANAGER-CLOSING', { taskManager });
    const occupant = this.#threads.get(slot);
    if (occupant !== undefined) {
      throw taskErrors.create('MR-TASK-SLOT-OCCUPIED', { slot, job: occupant.slice.jobId });
    }
  }

  /** The slots of this process that the slice exchanges data with; the thread finds the others by their addresses. */
  #localPeersOf(slice: SliceDescriptor): readonly SlotId[] {
    const { slot } = slice;
    return peersOf(slice).flatMap((peer) => {
      if (peer.taskManagerId === slot.taskManagerId) return [peer.slotId];
      if (this.#options.dataPorts !== null && peer.data !== null) return [];
      throw taskErrors.create('MR-TASK-PEER-ELSEWHERE', { slot: slot.slotId, peer: peer.slotId });
    });
  }

  /** Links the thread with those of its peers that are there already. */
  #connect(thread: SlotThread, peers: readonly SlotId[]): void {
    const { jobId, attempt } = thread.slice;
    for (const peer of peers) {
      const other = this.#threads.get(peer);
      // One of an older attempt may not be gone yet.
      if (other?.slice.jobId !== jobId || other.slice.attempt !== attempt) continue;
      const { port1, port2 } = this.#options.ports.channels.create();
      thread.connect(peer, port1);
      other.connect(thread.slotId, port2);
    }
  }

  #threadOf(message: Fenced & TaskReference): SlotThread | undefined {
    this.fence.check(message.epoch);
    const threads = [...this.#threads.values()];
    return threads.find((thread) => thread.slice.jobId === message.jobId && thread.runs(message.attemptId));
  }
}
