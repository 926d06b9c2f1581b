import { slotId, taskManagerId } from '../core/index.ts';
import type { Clock, MillraceError, Ports, SlotId, TaskManagerId, WorkerHost } from '../core/index.ts';
import type { LeaderWatch, RpcTransport } from '../rpc/index.ts';
import { openWorkDirectory } from '../state/index.ts';
import { DataPorts } from './data-ports.ts';
import type { DataPlaneOptions } from './data-ports.ts';
import { LeaderSession } from './leader-session.ts';
import { DEFAULT_LIMITS } from './runtime-limits.ts';
import type { RuntimeLimits } from './runtime-limits.ts';
import type { SlotCopies } from './slot-copies.ts';
import { TaskManagerService } from './task-manager-service.ts';

const DEFAULT_SLOT_MEMORY_BYTES = 512 * 1024 * 1024;

export interface TaskManagerOptions {
  readonly rpc: RpcTransport;
  /** Whom to register with. */
  readonly leaders: LeaderWatch;
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
  /** Copies of state files below the work root, for restarts; shared by the slots. Default: none. */
  readonly localRecovery?: LocalRecovery;
  /** Where it runs, for closest-replica reads and placement. */
  readonly rack?: string | null;
  readonly host?: string | null;
  /** As its operator has marked it. */
  readonly tags?: readonly string[];
  readonly limits?: Partial<RuntimeLimits>;
  /** Absent: all slots of a job are in this process. */
  readonly data?: DataPlaneOptions;
  /** How long tasks go on without any leader before they are cancelled. Default: for ever. */
  readonly orphanTimeoutMs?: number;
  /** How long close() waits for the leader to move its tasks elsewhere. Default: not at all. */
  readonly drainTimeoutMs?: number;
  /** Told why the leader cannot be reached, or refuses; once for each reason in a row. */
  readonly onProblem?: (error: MillraceError) => void;
}

export interface LocalRecovery {
  /** `auto`: where checkpoints are objects. */
  readonly mode: 'auto' | 'always' | 'never';
  /** Of all slots together. */
  readonly maxBytes: number;
}

/** A TaskManager that was started. */
export interface TaskManager {
  readonly id: TaskManagerId;
  /** Where its gateway is served. */
  readonly address: string;
  /** Resolves when a leader knows its slots for the first time; it looks for one until then. */
  readonly registered: Promise<void>;
  /**
   * Takes its slots away from the leader, waits until that has freed them, for the drain timeout at most, and ends
   * their threads; resolves when they are gone.
   */
  close(): Promise<void>;
}

/** Starts a TaskManager in this process; resolves when it looks for a leader. */
export async function startTaskManager(options: TaskManagerOptions): Promise<TaskManager> {
  const { ports, rpc, workRoot, drainTimeoutMs = 0 } = options;
  const id = taskManagerId(ports.randomness.hex(8));
  const slotIds = Array.from({ length: options.slotCount }, (_, index) => slotId(`${id}-${index}`));
  const dataPorts = options.data === undefined ? null : await DataPorts.open(options.data, slotIds, ports.network);
  const work = workRoot === undefined ? null : await openWorkDirectory(workRoot, id, ports.files);
  const service = createService(options, { id, slotIds, dataPorts, workDirectory: work?.path ?? null });
  const served = rpc.serve('task-manager', `taskmanager/${id}`, service);
  const session = openSession(options, { id, slotIds, dataPorts, service, address: served.address });
  return {
    id,
    address: served.address,
    registered: session.registered,
    async close() {
      await drained(session, service, ports.clock, drainTimeoutMs);
      session.close();
      await service.freeAll();
      service.close();
      dataPorts?.close();
      await work?.close();
      served.withdraw();
    },
  };
}

interface Identity {
  readonly id: TaskManagerId;
  readonly slotIds: readonly SlotId[];
  readonly dataPorts: DataPorts | null;
}

function createService(
  options: TaskManagerOptions,
  { id, slotIds, dataPorts, workDirectory }: Identity & { readonly workDirectory: string | null },
): TaskManagerService {
  const { rpc, ports, workerHost, rack = null, slotStateBytes = null } = options;
  return new TaskManagerService({
    taskManagerId: id,
    rpc,
    ports,
    workerHost,
    slotIds,
    slotMemoryBytes: options.slotMemoryBytes ?? DEFAULT_SLOT_MEMORY_BYTES,
    slotStateBytes,
    workDirectory,
    copies: copiesOf(options, workDirectory),
    rack,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    dataPorts,
  });
}

function copiesOf(
  { localRecovery: { mode, maxBytes } = { mode: 'never', maxBytes: 0 }, slotCount }: TaskManagerOptions,
  workDirectory: string | null,
): SlotCopies | null {
  if (mode === 'never' || workDirectory === null) return null;
  return { directory: `${workDirectory}/copies`, maxBytes: Math.floor(maxBytes / slotCount), mode };
}

function openSession(
  options: TaskManagerOptions,
  identity: Identity & { readonly service: TaskManagerService; readonly address: string },
): LeaderSession {
  const { rpc, leaders, ports, rack = null, host = null, tags = [], orphanTimeoutMs = Infinity } = options;
  const { id, slotIds, dataPorts, service, address } = identity;
  const session = new LeaderSession({
    taskManagerId: id,
    rpc,
    leaders,
    ports,
    fence: service.fence,
    registration: () => {
      const slots = slotIds.map((slot) => ({
        slotId: slot,
        memoryBytes: service.slotMemoryBytes,
        data: dataPorts?.addressOf(slot) ?? null,
        occupant: service.occupantOf(slot),
      }));
      return { taskManagerId: id, address, rack, host, tags, slots };
    },
    orphanTimeoutMs,
    onOrphaned: () => {
      void service.freeAll();
    },
    ...(options.onProblem === undefined ? {} : { onProblem: options.onProblem }),
  });
  if (dataPorts !== null) {
    dataPorts.onMoved = () => {
      session.registerAgain();
    };
  }
  return session;
}

/** Resolves when the slots are free, or nobody is going to free them in time. */
async function drained(
  session: LeaderSession,
  service: TaskManagerService,
  clock: Clock,
  timeoutMs: number,
): Promise<void> {
  const isEmpty = service.empty();
  const left = await session.leave();
  if (left === false || timeoutMs === 0) return;
  await new Promise<void>((resolve) => {
    const timer = clock.schedule(timeoutMs, resolve);
    void Promise.race([isEmpty, left.forsaken]).then(() => {
      timer.cancel();
      resolve();
    });
  });
}
