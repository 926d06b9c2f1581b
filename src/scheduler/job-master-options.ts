import type {
  CheckpointStorage,
  CheckpointStorageConfig,
  ConnectorCatalog,
  JobId,
  Ports,
  StateSchema,
} from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';
import type { JobStore } from '../ha/index.ts';
import type { RpcTransport } from '../rpc/index.ts';
import type { OpenStorage } from './checkpoint/checkpointer.ts';
import type { EarlierFailures } from './job-failures.ts';
import type { PlanStore } from './plan-store.ts';
import type { SlotPool } from './slot-pool.ts';
import type { StartMode } from './start-mode.ts';

export interface JobMasterOptions {
  readonly jobId: JobId;
  readonly graph: JobGraph;
  readonly epoch: number;
  readonly ports: Ports;
  readonly catalog: ConnectorCatalog;
  readonly rpc: RpcTransport;
  readonly slots: SlotPool;
  /** How long the job waits for slots before it fails. */
  readonly slotTimeoutMs: number;
  /** Where the job's record is kept; null where jobs take no checkpoints. */
  readonly store: JobStore | null;
  readonly storage: CheckpointStorage | null;
  /** What slots make their own storage from: the same place as `storage`. */
  readonly storageConfig: CheckpointStorageConfig | null;
  /** Opens where a savepoint goes; absent where there are none. */
  readonly openStorage?: OpenStorage | null;
  readonly start: StartMode;
  /** Whether steps that the checkpoint knows and the job does not may lose their state. */
  readonly allowDroppedState: boolean;
  /** What the operators keep, by step: what they cannot take over is found before anything changes. */
  readonly schemas?: ReadonlyMap<string, StateSchema>;
  /** Absent or null where no other leader can take the job over. */
  readonly plans?: PlanStore | null;
  /** How long takeOver() waits for the TaskManagers of its plan. */
  readonly takeoverTimeoutMs?: number;
  /** How long it waits for slots in which no split is read across racks, before it takes what there is; 0 if absent. */
  readonly localityWaitMs?: number;
  /** Of the job's run before it was rescaled; absent at first. */
  readonly earlier?: EarlierFailures;
}
