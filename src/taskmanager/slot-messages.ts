/** What a TaskManager and the thread of one of its slots say to each other, over a MessagePort of their own. */
import type { MessagePort } from 'node:worker_threads';
import type {
  AttemptId,
  SerializedError,
  SlotId,
  Split,
  StepId,
  SubtaskSnapshot,
  TlsSettings,
} from '../core/index.ts';
import type { StepCounters } from '../metrics/index.ts';
import type {
  CheckpointAcknowledgement,
  CheckpointDecline,
  CheckpointTrigger,
  SliceDescriptor,
  SourceProgress,
  TaskState,
} from '../rpc/index.ts';
import type { RuntimeLimits } from './runtime-limits.ts';
import type { SlotCopies } from './slot-copies.ts';

/** How slots of other processes reach a slot's thread, and it them (docs/design/019). */
export interface DataPlaneSettings {
  /** Where it listens: the port is the one that its slot is registered with, chosen by the main thread. */
  readonly host: string;
  readonly port: number;
  /** What all processes of the cluster know, and prove to each other; null where nothing is needed. */
  readonly token: string | null;
  /** Of both directions: whoever listens shows `cert`, and asks for one where there is a `ca`. Null for plain TCP. */
  readonly tls: TlsSettings | null;
}

/** What the thread is started with. */
export interface SlotStart {
  readonly slotId: SlotId;
  readonly control: MessagePort;
  /** One 32-bit counter: raised whenever the thread shows that it is alive. */
  readonly progress: SharedArrayBuffer;
  readonly memoryBytes: number;
  /** What the state of the tasks may take where the job does not say; null for no limit. */
  readonly stateBytes: number | null;
  /** Where files go that live no longer than the tasks; null where there is no such place. */
  readonly workDirectory: string | null;
  /** Absent where state files have no copies here. */
  readonly copies?: SlotCopies;
  readonly rack: string | null;
  readonly limits: RuntimeLimits;
  /** Absent where all slots are in one process. */
  readonly data?: DataPlaneSettings;
}

export type ToSlot =
  /** The first message: what to run. */
  | { readonly kind: 'deploy'; readonly slice: SliceDescriptor }
  /** The port to another slot of the job; may come before or after data for it is there. */
  | { readonly kind: 'connect'; readonly peer: SlotId; readonly port: MessagePort }
  | {
      readonly kind: 'add-splits';
      readonly attemptId: AttemptId;
      readonly stepId: StepId;
      readonly splits: readonly Split[];
    }
  | { readonly kind: 'no-more-splits'; readonly attemptId: AttemptId; readonly stepId: StepId }
  | ({ readonly kind: 'trigger-checkpoint'; readonly attemptId: AttemptId } & CheckpointTrigger)
  | { readonly kind: 'checkpoint-completed'; readonly attemptId: AttemptId; readonly checkpointId: number }
  | { readonly kind: 'checkpoint-aborted'; readonly attemptId: AttemptId; readonly checkpointId: number }
  | { readonly kind: 'align-watermark'; readonly attemptId: AttemptId; readonly maxWatermarkMs: number }
  | { readonly kind: 'cancel'; readonly attemptId: AttemptId }
  /** The last message: the thread ends. */
  | { readonly kind: 'stop' };

export type FromSlot =
  | {
      readonly kind: 'state';
      readonly attemptId: AttemptId;
      readonly state: TaskState;
      readonly error: SerializedError | null;
    }
  | ({ readonly kind: 'acknowledge'; readonly attemptId: AttemptId } & Pick<
      CheckpointAcknowledgement,
      'checkpointId' | 'snapshot' | 'metrics'
    >)
  | ({ readonly kind: 'decline'; readonly attemptId: AttemptId } & Pick<CheckpointDecline, 'checkpointId' | 'error'>)
  | { readonly kind: 'committed'; readonly attemptId: AttemptId; readonly checkpointId: number }
  /** All input is processed; only FINISHED follows. */
  | { readonly kind: 'ended'; readonly attemptId: AttemptId; readonly snapshot: SubtaskSnapshot }
  | { readonly kind: 'progress'; readonly steps: readonly StepCounters[]; readonly sources: readonly SourceProgress[] };
