import type { CheckpointStorage, InFlightRoute, Macrotasks, StateFileReader } from '../../core/index.ts';
import { stepFailure } from '../../rpc/index.ts';
import type { RestoredChannel } from '../../rpc/index.ts';
import { BatchDecoder } from '../exchange/batch-codec.ts';
import { BatchCopier } from '../exchange/batch-copier.ts';
import { createPartitioner } from '../exchange/partitioner.ts';

/** The subtask that is restored. */
export interface RestoredReceiver {
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
}

export interface ChannelSource {
  readonly storage: CheckpointStorage;
  readonly macrotasks: Macrotasks;
  /** About the size of what is made of batches of which others take rows too. */
  readonly frameBytes: number;
}

/** Rows that were on their way to a step, oldest first. */
export interface ReadChannel {
  readonly route: InFlightRoute;
  readonly frames: readonly ArrayBuffer[];
}

/**
 * Reads what was on its way to a subtask, channel by channel in the given order; of batches that others take rows of
 * too, the rows of its own key groups. Stops early once `isCancelled`.
 */
export async function* restoreChannels(
  channels: readonly RestoredChannel[],
  receiver: RestoredReceiver,
  { storage, macrotasks, frameBytes }: ChannelSource,
  isCancelled: () => boolean,
): AsyncGenerator<ReadChannel> {
  // Each file is checked as a whole when it is opened.
  const readers = new Map<string, StateFileReader>();
  try {
    for (const { handle, isShared } of channels) {
      const { file, batches, ...way } = handle;
      const { subtaskIndex, parallelism } = receiver;
      const route: InFlightRoute = { ...way, receiver: subtaskIndex, receivers: parallelism };
      const pick = isShared ? picker(route, receiver, frameBytes) : null;
      try {
        const reader = readers.get(file.name) ?? (await storage.openFile(file));
        readers.set(file.name, reader);
        const frames: ArrayBuffer[] = [];
        for (let at = 0; at + 1 < batches.length; at += 2) {
          if (isCancelled()) return;
          const bytes = await reader.read(batches[at] as number, batches[at + 1] as number);
          // A frame's columns are views, which have to begin where its own memory does.
          const frame = Uint8Array.from(bytes).buffer;
          frames.push(...(pick === null ? [frame] : pick(frame)));
          await macrotasks.yield();
        }
        if (frames.length > 0) yield { route, frames };
      } catch (error) {
        throw stepFailure(error, handle.stepId, null);
      }
    }
  } finally {
    for (const reader of readers.values()) await reader.close();
  }
}

/** Keeps the rows of a frame whose key groups are the receiver's. */
function picker(
  { schema, keys }: InFlightRoute,
  { subtaskIndex, parallelism, maxParallelism }: RestoredReceiver,
  frameBytes: number,
): (frame: ArrayBuffer) => readonly ArrayBuffer[] {
  const decoder = new BatchDecoder(schema);
  const copier = new BatchCopier(schema, frameBytes);
  const partitioner = createPartitioner({ kind: 'hash', keys: keys ?? [] }, parallelism, maxParallelism, 0);
  return (frame) => {
    const batch = decoder.decode(frame);
    partitioner.partition(batch, () => true);
    const { rows, cursors, ends } = partitioner;
    return copier.copy(batch, rows, cursors[subtaskIndex] as number, ends[subtaskIndex] as number);
  };
}
