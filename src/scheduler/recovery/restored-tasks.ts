/** What each subtask takes over from a checkpoint. State is found by step, wherever the step stands now. */
import {
  KeyGroupWatermarks,
  keyGroupRuns,
  keyGroupsOf,
  MAX_WATERMARK_MS,
  subtaskOfKeyGroup,
} from '../../core/index.ts';
import type {
  CheckpointedVertex,
  CheckpointMetadata,
  KeyGroupRuns,
  OperatorStateHandle,
  Split,
  StepId,
  SubtaskSnapshot,
} from '../../core/index.ts';
import type { JobVertex } from '../../graph/index.ts';
import type { TaskRestore } from '../../rpc/index.ts';
import { stepIdsOf } from '../step-ids.ts';
import { restoredChannels } from './restored-channels.ts';

/** Splits that a checkpoint holds of one source, and who had them. */
export interface RestoredSplits {
  readonly parallelism: number;
  readonly splits: readonly { readonly split: Split; readonly subtaskIndex: number }[];
}

/** Null where the checkpoint knows none of the vertex's steps: then the subtask starts anew. */
export function restoreOfTask(
  metadata: CheckpointMetadata,
  vertex: JobVertex,
  subtaskIndex: number,
): TaskRestore | null {
  const stepIds = new Set(vertex.chain.flatMap(stepIdsOf));
  const known = metadata.vertices.filter((written) => written.stepIds.some((id) => stepIds.has(id)));
  if (known.length === 0) return null;
  const { maxParallelism } = metadata;
  const groups = keyGroupsOf(subtaskIndex, maxParallelism, vertex.parallelism);
  const own = new Set(groups);
  const before = known.flatMap((written) => predecessors(written, vertex, subtaskIndex, groups, maxParallelism));
  const watermarkMs = leastWatermark(before);
  const operators = known
    .flatMap(({ subtasks }) => subtasks.flatMap(({ operators }) => operators))
    .filter(({ stepId }) => stepIds.has(stepId))
    .flatMap((handle) => onlyKeyGroups(handle, own));
  const channels = restoredChannels(metadata, vertex, subtaskIndex);
  const inFlight = channels.length === 0 ? {} : { channels };
  const ahead = groupsAhead(known, groups, maxParallelism, watermarkMs);
  const further = ahead.length === 0 ? {} : { ahead };
  return { checkpointId: metadata.checkpointId, operators, ...inFlight, watermarkMs, ...further };
}

/** Null where the checkpoint does not know the source. */
export function restoredSplits(metadata: CheckpointMetadata, source: StepId): RestoredSplits | null {
  const written = metadata.vertices.find(({ stepIds }) => stepIds[0] === source);
  if (written === undefined) return null;
  const splits = written.subtasks.flatMap(({ subtaskIndex, splits: own }) =>
    own.map((split) => ({ split, subtaskIndex })),
  );
  return { parallelism: written.parallelism, splits };
}

/** Key groups that had come further than the subtask begins with: by the least of all vertices that it has steps of. */
function groupsAhead(
  known: readonly CheckpointedVertex[],
  groups: readonly number[],
  maxParallelism: number,
  restoredMs: number | null,
): KeyGroupRuns {
  const vertices = known.map(({ parallelism, subtasks }) => {
    const byIndex = new Map(subtasks.map((subtask) => [subtask.subtaskIndex, reached(subtask)]));
    return (group: number): number =>
      byIndex.get(subtaskOfKeyGroup(group, maxParallelism, parallelism))?.(group) ?? -Infinity;
  });
  return keyGroupRuns(groups, (group) => {
    const watermarkMs = Math.min(...vertices.map((reachedBy) => reachedBy(group)));
    return watermarkMs > (restoredMs ?? -Infinity) ? watermarkMs : -Infinity;
  });
}

/** How far a key group of a subtask had come. One that has finished has emitted all, and keeps nothing. */
function reached({ watermarkMs, ahead = [] }: SubtaskSnapshot): (keyGroup: number) => number {
  const own = watermarkMs ?? -Infinity;
  const further = new KeyGroupWatermarks(ahead);
  return (keyGroup) => (own < MAX_WATERMARK_MS ? Math.max(own, further.of(keyGroup)) : -Infinity);
}

/** The handle with the chunks of these key groups alone; nothing where it has none. */
function onlyKeyGroups(
  handle: OperatorStateHandle,
  wanted: ReadonlySet<number>,
): readonly OperatorStateHandle[] {
  const chunks: number[] = [];
  for (let at = 0; at + 2 < handle.chunks.length; at += 3) {
    const [keyGroup = 0, position = 0, length = 0] = handle.chunks.slice(at, at + 3);
    if (wanted.has(keyGroup)) chunks.push(keyGroup, position, length);
  }
  return chunks.length === 0 ? [] : [{ ...handle, chunks }];
}

/** The subtasks that had seen what this one is going to see. */
function predecessors(
  written: CheckpointedVertex,
  vertex: JobVertex,
  subtaskIndex: number,
  groups: readonly number[],
  maxParallelism: number,
): readonly SubtaskSnapshot[] {
  if (written.parallelism === vertex.parallelism) {
    return written.subtasks.filter((subtask) => subtask.subtaskIndex === subtaskIndex);
  }
  // Splits are spread anew: any of them may come here.
  if (vertex.chain[0]?.kind === 'source') return written.subtasks;
  const indexes = new Set(groups.map((group) => subtaskOfKeyGroup(group, maxParallelism, written.parallelism)));
  return written.subtasks.filter((subtask) => indexes.has(subtask.subtaskIndex));
}

/** One that had finished holds nobody back. */
function leastWatermark(subtasks: readonly SubtaskSnapshot[]): number | null {
  const live = subtasks.filter(({ isFinished }) => !isFinished);
  const counted = (live.length > 0 ? live : subtasks).map(({ watermarkMs }) => watermarkMs);
  const isKnown = counted.length > 0 && counted.every((watermarkMs) => watermarkMs !== null);
  const least = isKnown ? Math.min(...counted) : Infinity;
  // The end of time is no time that anything new could come after.
  return least < MAX_WATERMARK_MS ? least : null;
}
