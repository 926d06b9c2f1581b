import type { CheckpointStorage, Ports, SlotId } from '../core/index.ts';
import type { SliceDescriptor, TaskRestore } from '../rpc/index.ts';
import { LocalCopies } from '../state/index.ts';

/** How a slot keeps copies of its state files on this machine's disk (docs/design/024). */
export interface SlotCopies {
  /** Of all slots of the TaskManager. */
  readonly directory: string;
  /** Of this slot. */
  readonly maxBytes: number;
  /** Where checkpoints are objects, or wherever they are. */
  readonly mode: 'auto' | 'always';
}

export interface CopiedSlot {
  readonly slotId: SlotId;
  readonly slice: SliceDescriptor;
  readonly storage: CheckpointStorage;
  readonly ports: Ports;
}

/** The slot's storage with copies around it; null where a directory is as near as a copy would be. */
export function localCopiesOf(
  { directory, maxBytes, mode }: SlotCopies,
  { slotId, slice, storage, ports }: CopiedSlot,
): LocalCopies | null {
  if (mode === 'auto' && slice.checkpointing?.storage.kind !== 's3') return null;
  const onProblem = (message: string): void => {
    ports.streams.writeError(`slot ${slotId} of job ${slice.jobName}: ${message}\n`);
  };
  const copies = new LocalCopies({ directory, slot: slotId, job: slice.jobId, maxBytes, storage, ports, onProblem });
  for (const { restore } of slice.tasks) if (restore !== null) copies.names(restore.checkpointId, filesIn(restore));
  return copies;
}

function filesIn({ operators, channels = [] }: TaskRestore) {
  return { operators, channels: channels.map(({ handle }) => handle) };
}
