import type { CheckpointStorage, CheckpointStorageConfig, ConnectorCatalog, Ports } from '../core/index.ts';
import type { JobStore } from '../ha/index.ts';
import { inProcessTransport, oneLeader } from '../rpc/index.ts';
import type { LeaderWatch, RpcTransport } from '../rpc/index.ts';
import type { OpenStorage } from '../scheduler/index.ts';
import { Dispatcher } from './dispatcher.ts';
import { singleJobStorage } from './job-storage.ts';
import { ResourceManager } from './slots/resource-manager.ts';

/** A TaskManager that was started, for whoever has to end it. */
export interface RunningTaskManager {
  /** Resolves when its slots are known. */
  readonly registered: Promise<void>;
  /** Ends its slots' threads; resolves when they are gone. */
  close(): Promise<void>;
}

/** How a TaskManager finds its Dispatcher. */
export interface ClusterLink {
  readonly rpc: RpcTransport;
  readonly leaders: LeaderWatch;
}

export interface LocalClusterOptions {
  readonly ports: Ports;
  readonly catalog: ConnectorCatalog;
  /** Starts the cluster's TaskManager: `(link) => startTaskManager({ ...link, ports, workerHost, slotCount })`. */
  readonly startTaskManager: (link: ClusterLink) => Promise<RunningTaskManager>;
  /** How long a job waits for slots; default 30 s. */
  readonly slotTimeoutMs?: number;
  /**
   * For a job that takes checkpoints; all three or none. The storage is of one job: files that it does not know are
   * removed. Whoever opened the store closes it, after the cluster.
   */
  readonly store?: JobStore | null;
  readonly storage?: CheckpointStorage | null;
  readonly storageConfig?: CheckpointStorageConfig | null;
  /** For savepoints: each is a storage of its own. */
  readonly openStorage?: OpenStorage;
}

/** A whole cluster in this process, over the in-process transport. */
export interface LocalCluster {
  readonly dispatcher: Dispatcher;
  /** Cancels jobs that run, then ends everything; resolves when no thread is left. */
  close(): Promise<void>;
}

/** There is one leader for the life of the process. */
const EPOCH = 1;
const DEFAULT_SLOT_TIMEOUT_MS = 30_000;

/** Starts a Dispatcher and a TaskManager; resolves when jobs can be submitted. */
export async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const { ports, catalog, startTaskManager, slotTimeoutMs = DEFAULT_SLOT_TIMEOUT_MS } = options;
  const { store = null, storage = null, storageConfig = null, openStorage = null } = options;
  const rpc = inProcessTransport();
  const slots = new ResourceManager({ clock: ports.clock, epoch: EPOCH, remote: null });
  const served = rpc.serve('resource-manager', 'dispatcher', slots);
  const dispatcher = new Dispatcher({
    ports,
    loadCatalog: () => Promise.resolve(catalog),
    rpc,
    slots,
    epoch: EPOCH,
    slotTimeoutMs,
    store,
    findStorage: storage === null || storageConfig === null ? null : singleJobStorage({ storage, storageConfig }),
    openStorage,
  });
  const leaders = oneLeader({ epoch: EPOCH, resourceManagerAddress: served.address });
  const taskManager = await startTaskManager({ rpc, leaders });
  await taskManager.registered;
  return {
    dispatcher,
    async close() {
      await Promise.all(dispatcher.list().map((job) => job.cancel()));
      await taskManager.close();
      served.withdraw();
    },
  };
}
