/** What a TaskManager and the thread of one of its slots say to each other, over a MessagePort of their own. */
import type { MessagePort } from 'node:worker_threads';
import type { AttemptId, SerializedError, SlotId, Split, StepId } from '../core/index.ts';
import type { StepCounters } from '../metrics/index.ts';
import type { SliceDescriptor, TaskState } from '../rpc/index.ts';
import type { RuntimeLimits } from './runtime-limits.ts';

/** What the thread is started with. */
export interface SlotStart {
  readonly slotId: SlotId;
  readonly control: MessagePort;
  /** One 32-bit counter: raised whenever the thread shows that it is alive. */
  readonly progress: SharedArrayBuffer;
  readonly memoryBytes: number;
  readonly rack: string | null;
  readonly limits: RuntimeLimits;
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
  | { readonly kind: 'progress'; readonly steps: readonly StepCounters[] };
