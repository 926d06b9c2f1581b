import { ColumnBatch, setNull } from '../../core/index.ts';
import type {
  Column,
  InFlightRoute,
  RowSchema,
  StateFileReader,
} from '../../core/index.ts';
import { stepFailure } from '../../rpc/index.ts';
import type { RestoredChannel } from '../../rpc/index.ts';
import { BatchDecoder } from '../exchange/batch-codec.ts';
import { BatchCopier } from '../exchange/batch-copier.ts';
import { createPartitioner } from '../exchange/partitioner.ts';
import type { StateSource } from './restore-state.ts';

/** The subtask that is restored. */
export interface RestoredReceiver {
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
}

export interface ChannelSource extends StateSource {
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
  { storage, macrotasks, frameBytes, onRead }: ChannelSource,
  isCancelled: () => boolean,
): AsyncGenerator<ReadChannel> {
  // Each file is checked as a whole when it is opened.
  const readers = new Map<string, StateFileReader>();
  try {
    for (const channel of channels) {
      const { handle } = channel;
      const { file, batches } = handle;
      const route = routeNow(channel, receiver);
      const convert = converter(channel, receiver, frameBytes);
      try {
        const reader = readers.get(file.name) ?? (await storage.openFile(file));
        readers.set(file.name, reader);
        const frames: ArrayBuffer[] = [];
        for (let at = 0; at + 1 < batches.length; at += 2) {
          if (isCancelled()) return;
          const bytes = await reader.read(batches[at] as number, batches[at + 1] as number);
          onRead(handle.stepId, bytes.length, reader.isLocal === true);
          // A frame's columns are views, which have to begin where its own memory does.
          const frame = Uint8Array.from(bytes).buffer;
          frames.push(...(convert === null ? [frame] : convert(frame)));
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

/** The way of the rows in the job as it is now. */
function routeNow({ handle, schema }: RestoredChannel, receiver: RestoredReceiver): InFlightRoute {
  const { stepId, input, sender, keys } = handle;
  const position = (key: number): number =>
    schema.fields.findIndex(({ name }) => name === handle.schema.fields[key]?.name);
  const { subtaskIndex, parallelism } = receiver;
  const to = { receiver: subtaskIndex, receivers: parallelism };
  return { stepId, input, sender, keys: keys?.map(position) ?? null, schema, ...to };
}

/** Keeps the rows whose key groups are the receiver's, with the fields that are read now; null where all is so. */
function converter(
  { handle, schema, isShared }: RestoredChannel,
  { subtaskIndex, parallelism, maxParallelism }: RestoredReceiver,
  frameBytes: number,
): ((frame: ArrayBuffer) => readonly ArrayBuffer[]) | null {
  const isSame = JSON.stringify(schema) === JSON.stringify(handle.schema);
  if (!isShared && isSame) return null;
  const decoder = new BatchDecoder(handle.schema);
  const copier = new BatchCopier(schema, frameBytes);
  const hash = { kind: 'hash', keys: handle.keys ?? [] } as const;
  const partitioner = isShared ? createPartitioner(hash, parallelism, maxParallelism, 0) : null;
  return (frame) => {
    const batch = decoder.decode(frame);
    partitioner?.partition(batch, () => true);
    const present = isSame ? batch : withFields(batch, schema);
    if (partitioner === null) return copier.copy(present, null, 0, batch.rowCount);
    const { rows, cursors, ends } = partitioner;
    return copier.copy(present, rows, cursors[subtaskIndex] as number, ends[subtaskIndex] as number);
  };
}

/** The same rows with other fields, by name; those that they lack are NULL. */
function withFields(batch: ColumnBatch, schema: RowSchema): ColumnBatch {
  const changed = new ColumnBatch(schema, batch.rowCount);
  schema.fields.forEach(({ name }, index) => {
    const from = batch.schema.fields.findIndex((field) => field.name === name);
    const written = batch.columns[from];
    if (written !== undefined) changed.columns[index] = written;
    else for (let row = 0; row < batch.rowCount; row++) setNull(changed.columns[index] as Column, row);
  });
  changed.rowCount = batch.rowCount;
  changed.timestamps = batch.timestamps;
  changed.rowKinds = batch.rowKinds;
  changed.origin = batch.origin;
  return changed;
}
