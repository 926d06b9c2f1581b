import type {
  CheckpointStorage,
  Macrotasks,
  OperatorState,
  OperatorStateHandle,
  StateFile,
  StateFileReader,
} from '../../core/index.ts';
import { stepFailure } from '../../rpc/index.ts';
import { taskErrors } from '../errors.ts';

/** Chunks that stand close together are read at once, up to so much. */
const READ_BYTES = 1024 * 1024;

export interface StateSource {
  readonly storage: CheckpointStorage;
  readonly macrotasks: Macrotasks;
  /** Told how many bytes a step was given, and whether they came from this machine's disk. */
  readonly onRead: (stepId: string, bytes: number, isLocal: boolean) => void;
}

interface ListedChunk {
  readonly handle: OperatorStateHandle;
  readonly keyGroup: number;
  readonly position: number;
  readonly length: number;
}

/**
 * Gives operators back what the handles list. `stateOf` finds an operator by its step; null where there is none.
 * `isCancelled` is asked before every chunk: then no operator is called any more. Now and then others have their turn.
 */
export async function restoreState(
  handles: readonly OperatorStateHandle[],
  stateOf: (stepId: string) => OperatorState | null,
  { storage, macrotasks, onRead }: StateSource,
  isCancelled: () => boolean,
): Promise<void> {
  // Entries of later files replace those of earlier ones; a file is of one checkpoint.
  const inOrder = handles.toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0));
  const files = Map.groupBy(inOrder, ({ file }) => file.name);
  for (const group of files.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const chunks = group.flatMap(chunksOf);
    // Of those that replace each other the order is theirs.
    if (first.order === undefined) chunks.sort((a, b) => a.position - b.position);
    if (chunks.length === 0) continue;
    const reader = await open(first.file, first.stepId, storage);
    try {
      for (const run of runsOf(chunks)) {
        if (isCancelled()) return;
        await restoreRun(run, reader, stateOf, isCancelled, onRead);
        await macrotasks.yield();
      }
    } finally {
      await reader.close();
    }
  }
}

async function open(file: StateFile, stepId: string, storage: CheckpointStorage): Promise<StateFileReader> {
  try {
    return await storage.openFile(file);
  } catch (error) {
    throw stepFailure(error, stepId, null);
  }
}

async function restoreRun(
  run: readonly ListedChunk[],
  reader: StateFileReader,
  stateOf: (stepId: string) => OperatorState | null,
  isCancelled: () => boolean,
  onRead: StateSource['onRead'],
): Promise<void> {
  const start = run[0]?.position ?? 0;
  const last = run.at(-1);
  const bytes = await reader.read(start, (last?.position ?? 0) + (last?.length ?? 0) - start);
  for (const { handle, keyGroup, position, length } of run) {
    if (isCancelled()) return;
    onRead(handle.stepId, length, reader.isLocal === true);
    try {
      const state = stateOf(handle.stepId);
      if (state === null) throw taskErrors.create('MR-TASK-STATE-UNCLAIMED', { kind: handle.schema.kind });
      const chunk = {
        keyGroup,
        bytes: bytes.subarray(position - start, position - start + length),
        ...(handle.order === undefined ? {} : { replaces: true }),
      };
      state.restore(chunk, handle.schema);
      await state.settle?.();
    } catch (error) {
      throw stepFailure(error, handle.stepId, null);
    }
  }
}

function chunksOf(handle: OperatorStateHandle): ListedChunk[] {
  const chunks: ListedChunk[] = [];
  for (let at = 0; at + 2 < handle.chunks.length; at += 3) {
    const [keyGroup = 0, position = 0, length = 0] = handle.chunks.slice(at, at + 3);
    chunks.push({ handle, keyGroup, position, length });
  }
  return chunks;
}

/** Runs of chunks that touch and are short enough to read at once. */
function runsOf(chunks: readonly ListedChunk[]): ListedChunk[][] {
  const runs: ListedChunk[][] = [];
  let startsAt = 0;
  let endsAt = -1;
  for (const chunk of chunks) {
    const end = chunk.position + chunk.length;
    if (chunk.position === endsAt && end - startsAt <= READ_BYTES) runs.at(-1)?.push(chunk);
    else {
      runs.push([chunk]);
      startsAt = chunk.position;
    }
    endsAt = end;
  }
  return runs;
}
