import type {
  CheckpointMetadata,
  CheckpointStorage,
  OperatorStateHandle,
  StateFile,
  StateFileWriter,
} from '../../core/index.ts';

/** A file of the savepoint, and where the chunks of each handle stand in it. */
interface Copy {
  readonly file: StateFile;
  readonly chunks: ReadonlyMap<OperatorStateHandle, readonly number[]>;
}

/**
 * Writes a savepoint that needs nothing but itself: all files of a completed checkpoint, the output of which is
 * committed. Its metadata comes last, so what is unfinished is no savepoint. Where it fails it leaves nothing.
 */
export async function writeSavepoint(
  checkpoint: CheckpointMetadata,
  from: CheckpointStorage,
  to: CheckpointStorage,
): Promise<StateFile> {
  const written: string[] = [];
  try {
    const handles = checkpoint.vertices.flatMap(({ subtasks }) => subtasks.flatMap(({ operators }) => operators));
    const copies = new Map<string, Copy>();
    for (const [name, group] of Map.groupBy(handles, ({ file }) => file.name)) {
      const copy = await copyFile(checkpoint.checkpointId, group, from, to);
      written.push(copy.file.name);
      copies.set(name, copy);
    }
    const moved = (handle: OperatorStateHandle): OperatorStateHandle => {
      const copy = copies.get(handle.file.name);
      const chunks = copy?.chunks.get(handle);
      if (copy === undefined || chunks === undefined) throw new Error(`${handle.file.name} was not copied`);
      return { ...handle, file: copy.file, chunks };
    };
    const vertices = checkpoint.vertices.map((vertex) => ({
      ...vertex,
      subtasks: vertex.subtasks.map((subtask) => ({
        ...subtask,
        operators: subtask.operators.map(moved),
        committables: [],
      })),
    }));
    return await to.writeMetadata({ ...checkpoint, kind: 'savepoint', vertices });
  } catch (error) {
    // What cannot be removed either is of no use to anybody: there is no metadata.
    await Promise.allSettled(written.map((name) => to.remove(name)));
    throw error;
  }
}

async function copyFile(
  checkpointId: number,
  handles: readonly OperatorStateHandle[],
  from: CheckpointStorage,
  to: CheckpointStorage,
): Promise<Copy> {
  const [first] = handles;
  if (first === undefined) throw new Error('a file that nothing names');
  const reader = await from.openFile(first.file);
  try {
    const writer = await to.createFile(checkpointId, 'savepoint');
    try {
      const chunks = new Map<OperatorStateHandle, readonly number[]>();
      for (const handle of handles) {
        chunks.set(handle, await copyChunks(handle, (position, length) => reader.read(position, length), writer));
      }
      return { file: await writer.finish(), chunks };
    } catch (error) {
      await writer.abort().catch(() => undefined);
      throw error;
    }
  } finally {
    await reader.close();
  }
}

async function copyChunks(
  { chunks }: OperatorStateHandle,
  read: (position: number, length: number) => Promise<Uint8Array>,
  writer: StateFileWriter,
): Promise<readonly number[]> {
  const copied: number[] = [];
  for (let at = 0; at + 2 < chunks.length; at += 3) {
    const [keyGroup = 0, position = 0, length = 0] = chunks.slice(at, at + 3);
    copied.push(keyGroup, await writer.append(await read(position, length)), length);
  }
  return copied;
}
