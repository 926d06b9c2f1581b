import { slotId, taskManagerId } from '../core/index.ts';
import type { Ports, SlotId, TaskManagerId, WorkerHost } from '../core/index.ts';
import { EpochFence } from '../rpc/index.ts';
import type { Fenced, RpcTransport, SliceDescriptor, SlotReport, TaskManagerGateway, TaskReference } from '../rpc/index.ts';
import { openWorkDirectory } from '../state/index.ts';
import { taskErrors } from './errors.ts';
import { DEFAULT_LIMITS } from './runtime-limits.ts';
import type { RuntimeLimits } from './runtime-limits.ts';
import { peersOf } from './slot-links.ts';
import { SlotThread } from './slot-thread.ts';

const DEFAULT_SLOT_MEMORY_BYTES = 512 * 1024 * 1024;

export interface TaskManagerOptions {
  readonly rpc: RpcTransport;
  /** Where to register. */
  readonly resourceManagerAddress: string;
  readonly ports: Ports;
  /** Starts the threads of slots; their module calls runSlot. */
  readonly workerHost: WorkerHost;
  readonly slotCount: number;
  /** What a slot may use outside the JavaScript heap; its exchanges take up to a quarter. Default 512 MiB. */
  readonly slotMemoryBytes?: number;
  /** What the state of a slot may take of the memory where the job does not say. Default: no limit. */
  readonly slotStateBytes?: number;
  /** Where files go that live no longer than it does; below it are those of others, too. Default: nowhere. */
  readonly workRoot?: string;
  /** Where it runs, for closest-replica reads and placement. */
  readonly rack?: string | null;
  readonly host?: string | null;
  readonly limits?: Partial<RuntimeLimits>;
}

/** A TaskManager that was started. */
export interface TaskManager {
  readonly id: TaskManagerId;
  /** Takes its slots away from the ResourceManager and ends their threads; resolves when they are gone. */
  close(): Promise<void>;
}

/** Starts a TaskManager in this process; resolves when its slots are registered. */
export async function startTaskManager(options: TaskManagerOptions): Promise<TaskManager> {
  const id = taskManagerId(options.ports.randomness.hex(8));
  const { workRoot, ports } = options;
  const work = workRoot === undefined ? null : await openWorkDirectory(workRoot, id, ports.files);
  const service = new TaskManagerService(id, options, work?.path ?? null);
  const served = options.rpc.serve('task-manager', `taskmanager/${id}`, service);
  const resourceManager = options.rpc.connect('resource-manager', options.resourceManagerAddress);
  const { rack = null, host = null } = options;
  const slots = service.slotIds.map((each) => ({
    slotId: each,
    memoryBytes: service.slotMemoryBytes,
    data: null,
    occupant: null,
  }));
  await resourceManager.registerTaskManager({ epoch: 1, taskManagerId: id, address: served.address, rack, host, tags: [], slots });
  return {
    id,
    async close() {
      await resourceManager.unregisterTaskManager({ epoch: 1, taskManagerId: id });
      await service.close();
      await work?.close();
      served.withdraw();
    },
  };
}

class TaskManagerService implements TaskManagerGateway {
  readonly slotIds: readonly SlotId[];
  readonly slotMemoryBytes: number;
  readonly #id: TaskManagerId;
  readonly #options: TaskManagerOptions;
  readonly #workDirectory: string | null;
  readonly #fence: EpochFence;
  readonly #limits: RuntimeLimits;
  /** Occupied slots. */
  readonly #threads = new Map<SlotId, SlotThread>();

  constructor(id: TaskManagerId, options: TaskManagerOptions, workDirectory: string | null) {
    this.#id = id;
    this.#options = options;
    this.#workDirectory = workDirectory;
    this.#fence = new EpochFence(`TaskManager ${id}`);
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.slotMemoryBytes = options.slotMemoryBytes ?? DEFAULT_SLOT_MEMORY_BYTES;
    this.slotIds = Array.from({ length: options.slotCount }, (_, index) => slotId(`${id}-${index}`));
  }

  deploy(slice: SliceDescriptor): Promise<void> {
    this.#fence.check(slice.epoch);
    this.#checkSlot(slice);
    const { rpc, ports, workerHost, rack = null, slotStateBytes = null } = this.#options;
    const thread = new SlotThread(slice, rpc.connect('job-master', slice.jobMasterAddress), {
      ports,
      workerHost,
      limits: this.#limits,
      memoryBytes: this.slotMemoryBytes,
      stateBytes: slotStateBytes,
      workDirectory: this.#workDirectory,
      rack,
    });
    this.#connectPeers(thread);
    this.#threads.set(slice.slot.slotId, thread);
    return Promise.resolve();
  }

  // Not between reading what was told and going on to the new JobMaster may anything be told: both in one turn.
  adoptSlot(message: Parameters<TaskManagerGateway['adoptSlot']>[0]): Promise<SlotReport> {
    const { epoch, slotId: slot, jobId, attempt, jobMasterAddress } = message;
    this.#fence.check(epoch);
    const thread = this.#threads.get(slot);
    if (thread === undefined || thread.slice.jobId !== jobId || thread.slice.attempt !== attempt) {
      const occupant = ` that runs attempt ${attempt} of job ${jobId}`;
      throw taskErrors.create('MR-TASK-UNKNOWN-SLOT', { taskManager: this.#id, slot, occupant });
    }
    return Promise.resolve(thread.adopt(this.#options.rpc.connect('job-master', jobMasterAddress), epoch));
  }

  addSplits(message: Parameters<TaskManagerGateway['addSplits']>[0]): Promise<void> {
    const { attemptId, stepId, splits } = message;
    this.#threadOf(message)?.pass({ kind: 'add-splits', attemptId, stepId, splits });
    return Promise.resolve();
  }

  noMoreSplits(message: Parameters<TaskManagerGateway['noMoreSplits']>[0]): Promise<void> {
    const { attemptId, stepId } = message;
    this.#threadOf(message)?.pass({ kind: 'no-more-splits', attemptId, stepId });
    return Promise.resolve();
  }

  triggerCheckpoint(message: Parameters<TaskManagerGateway['triggerCheckpoint']>[0]): Promise<void> {
    const { attemptId, checkpointId, triggeredAtMs } = message;
    const { stopsSource = false, drains = false, isAligned = false } = message;
    const trigger = { checkpointId, triggeredAtMs, stopsSource, drains, isAligned };
    this.#threadOf(message)?.pass({ kind: 'trigger-checkpoint', attemptId, ...trigger });
    return Promise.resolve();
  }

  checkpointCompleted(message: Parameters<TaskManagerGateway['checkpointCompleted']>[0]): Promise<void> {
    const { attemptId, checkpointId } = message;
    this.#threadOf(message)?.pass({ kind: 'checkpoint-completed', attemptId, checkpointId });
    return Promise.resolve();
  }

  checkpointAborted(message: Parameters<TaskManagerGateway['checkpointAborted']>[0]): Promise<void> {
    const { attemptId, checkpointId } = message;
    this.#threadOf(message)?.pass({ kind: 'checkpoint-aborted', attemptId, checkpointId });
    return Promise.resolve();
  }

  alignWatermark(message: Parameters<TaskManagerGateway['alignWatermark']>[0]): Promise<void> {
    const { attemptId, maxWatermarkMs } = message;
    this.#threadOf(message)?.pass({ kind: 'align-watermark', attemptId, maxWatermarkMs });
    return Promise.resolve();
  }

  cancel(message: TaskReference): Promise<void> {
    this.#threadOf(message)?.cancel(message.attemptId);
    return Promise.resolve();
  }

  async freeSlot(message: Parameters<TaskManagerGateway['freeSlot']>[0]): Promise<void> {
    this.#fence.check(message.epoch);
    const thread = this.#threads.get(message.slotId);
    if (thread === undefined || thread.slice.jobId !== message.jobId) return;
    await thread.stop();
    this.#threads.delete(message.slotId);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads.values()].map((thread) => thread.stop()));
    this.#threads.clear();
  }

  #checkSlot({ slot }: SliceDescriptor): void {
    if (!this.slotIds.includes(slot.slotId)) {
      throw taskErrors.create('MR-TASK-UNKNOWN-SLOT', { taskManager: this.#id, slot: slot.slotId, occupant: '' });
    }
    const occupant = this.#threads.get(slot.slotId);
    if (occupant !== undefined) {
      throw taskErrors.create('MR-TASK-SLOT-OCCUPIED', { slot: slot.slotId, job: occupant.slice.jobId });
    }
  }

  /** Links the thread with those that it exchanges data with and that are there already. */
  #connectPeers(thread: SlotThread): void {
    for (const peer of peersOf(thread.slice)) {
      if (!this.slotIds.includes(peer)) {
        void thread.stop();
        throw taskErrors.create('MR-TASK-PEER-ELSEWHERE', { slot: thread.slotId, peer });
      }
      const other = this.#threads.get(peer);
      if (other === undefined || other.slice.jobId !== thread.slice.jobId) continue;
      const { port1, port2 } = this.#options.ports.channels.create();
      thread.connect(peer, port1);
      other.connect(thread.slotId, port2);
    }
  }

  #threadOf(message: Fenced & TaskReference): SlotThread | undefined {
    this.#fence.check(message.epoch);
    const threads = [...this.#threads.values()];
    return threads.find((thread) => thread.slice.jobId === message.jobId && thread.runs(message.attemptId));
  }
}
