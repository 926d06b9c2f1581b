import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type {
  CheckpointStorage,
  CheckpointStorageConfig,
  ConnectorCatalog,
  Ports,
  WorkerHost,
  WorkerThread,
} from '../core/index.ts';
import { nodePorts, nodeWorkerHost } from '../core/node-ports.ts';
import { startLocalCluster } from '../dispatcher/index.ts';
import type { JobHandle, JobResult, LocalCluster, SubmitOptions } from '../dispatcher/index.ts';
import type { JobGraph } from '../graph/index.ts';
import type { JobStore } from '../ha/index.ts';
import { inlineWorkerHost, runSlot, startTaskManager } from '../taskmanager/index.ts';
import type { OperatorFactory, RuntimeLimits } from '../taskmanager/index.ts';
import { Collected, collectSink } from './collect-sink.ts';
import { sequenceSource } from './sequence-source.ts';
import { startSpreadTaskManagers } from './spread-task-managers.ts';
import { createTestOperator } from './test-operators.ts';
import { transactionalSink } from './transactional-sink.ts';
// Started by its URL, below.
import type {} from './test-slot-worker.ts';

export type { JobHandle };

export interface MiniClusterOptions {
  readonly slotCount: number;
  /** Slots on the calling thread (their rows can be looked at), or on threads of their own. */
  readonly slots?: 'inline' | 'threads';
  /** Whether every slot is in a TaskManager of its own, linked with the others over TCP. */
  readonly isSpread?: boolean;
  /** Of these, in order; without them nobody says where he is. */
  readonly racks?: readonly string[];
  readonly ports?: Ports;
  readonly slotMemoryBytes?: number;
  readonly slotTimeoutMs?: number;
  readonly limits?: Partial<RuntimeLimits>;
  /** For jobs that take checkpoints. Slots on threads of their own open the storage that `config` describes. */
  readonly stores?: {
    readonly store: JobStore;
    readonly storage: CheckpointStorage;
    readonly config?: CheckpointStorageConfig;
  };
  /** Told of every slot's thread that starts. */
  readonly onThread?: (thread: WorkerThread) => void;
  /** For inline slots; those of tests if left out. */
  readonly catalog?: ConnectorCatalog;
  readonly createOperator?: OperatorFactory;
}

/** Threads start three times faster where they find compiled code. */
const COMPILED_CODE = { NODE_COMPILE_CACHE: join(tmpdir(), 'millrace-compiled-tests') };

/** Slots on the calling thread are given the storage itself. */
const IN_MEMORY = { kind: 'directory', path: '/nowhere' } as const;

/** A whole cluster of the real rooms around sources, operators and sinks of tests. */
export interface MiniCluster {
  readonly cluster: LocalCluster;
  /** What collect sinks took; empty where slots have threads of their own. */
  readonly collected: Collected;
  readonly submit: (graph: JobGraph, options?: SubmitOptions) => Promise<JobHandle>;
  /** Submits and waits for the end. */
  readonly run: (graph: JobGraph) => Promise<JobResult & { readonly job: JobHandle }>;
}

/** Starts a cluster, gives it to `use`, and ends it. */
export async function withMiniCluster<T>(
  options: MiniClusterOptions,
  use: (cluster: MiniCluster) => Promise<T>,
): Promise<T> {
  const { slotCount, slots = 'inline', ports = nodePorts, slotTimeoutMs = 2000, limits = {}, stores } = options;
  const { isSpread = false, racks } = options;
  const collected = new Collected();
  const { catalog = testCatalog(collected), createOperator = createTestOperator } = options;
  const openStorage = stores === undefined ? {} : { openStorage: () => stores.storage };
  const workerHost: WorkerHost =
    slots === 'inline'
      ? inlineWorkerHost((data) => runSlot(data, { ports, catalog, createOperator, ...openStorage }))
      : watched(nodeWorkerHost(new URL('./test-slot-worker.ts', import.meta.url), COMPILED_CODE), options.onThread);
  const { slotMemoryBytes } = options;
  const cluster = await startLocalCluster({
    ports,
    catalog,
    slotTimeoutMs,
    startTaskManager: async (link) => {
      const memory = slotMemoryBytes === undefined ? {} : { slotMemoryBytes };
      const machine = { ...link, ports, workerHost, slotCount, limits, ...memory };
      if (!isSpread) return startTaskManager(machine);
      const all = await startSpreadTaskManagers(machine, racks);
      return {
        registered: Promise.resolve(),
        close: async () => {
          await Promise.all(all.map((each) => each.close()));
        },
      };
    },
    ...(stores === undefined ? {} : { ...stores, storageConfig: stores.config ?? IN_MEMORY }),
  });
  try {
    const submit = (graph: JobGraph, how?: SubmitOptions): Promise<JobHandle> => cluster.dispatcher.submit(graph, how);
    return await use({
      cluster,
      collected,
      submit,
      run: async (graph) => {
        const job = await submit(graph);
        return { ...(await job.result), job };
      },
    });
  } finally {
    await cluster.close();
  }
}

function watched(host: WorkerHost, onThread: (thread: WorkerThread) => void = () => undefined): WorkerHost {
  return {
    start(name, data, transfer) {
      const thread = host.start(name, data, transfer);
      onThread(thread);
      return thread;
    },
  };
}

/** The connectors of tests. */
export function testCatalog(collected: Collected): ConnectorCatalog {
  return {
    sources: new Map([['sequence', sequenceSource]]),
    sinks: new Map([
      ['collect', collectSink(collected)],
      ['transactional', transactionalSink],
    ]),
    formats: new Map(),
  };
}
