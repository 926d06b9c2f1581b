/**
 * In which files of checkpoint storage the state of each operator stands, where a checkpoint holds only what has
 * changed since the one before (docs/design/015): a handle per file, in the order of checkpoints. Each checkpoint
 * writes some key groups whole, those of which most of what the files hold is out of date, so that all files together
 * stay within about three times the size of the state, and files come and go.
 */
import { checkpointIdOf } from '../../core/index.ts';
import type { OperatorStateHandle, SnapshotBasis } from '../../core/index.ts';

/** A key group is written whole once its files hold so much more than they did when it was. */
const OUTDATED_RATIO = 3;
const OUTDATED_BYTES = 64 * 1024;
/**
 * The share of what has changed that is written whole beside it: each byte of that makes twice as much superfluous. At
 * least so much.
 */
const WHOLE_SHARE = 0.5;
const MIN_WHOLE_BYTES = 16 * 1024 * 1024;
/** The oldest of more files than that is given up. */
const MAX_FILES = 32;

/** What the next snapshot of an operator builds on. */
export interface FileBasis extends SnapshotBasis {
  /** Of the last completed checkpoint, without the key groups that are written whole. */
  readonly kept: readonly OperatorStateHandle[];
}

export class OperatorFiles {
  readonly #maxParallelism: number;
  /** By step. */
  readonly #handles = new Map<string, readonly OperatorStateHandle[]>();

  /** `restored`: what the subtask was restored from, of its own key groups, which checkpoint `restoredId` holds. */
  constructor(restored: readonly OperatorStateHandle[], restoredId: number, maxParallelism: number) {
    this.#maxParallelism = maxParallelism;
    for (const [step, handles] of Map.groupBy(restored, ({ stepId }) => stepId)) {
      this.#handles.set(step, inOrder(handles.map((handle) => ({ order: restoredId, ...handle }))));
    }
  }

  basisOf(stepId: string): FileBasis {
    const handles = this.#handles.get(stepId) ?? [];
    const whole = groupsToWrite(handles, this.#maxParallelism);
    return { whole, kept: handles.flatMap((handle) => withoutGroups(handle, whole)) };
  }

  /** A checkpoint has completed in which the operator's state is in these. */
  completed(stepId: string, handles: readonly OperatorStateHandle[]): void {
    this.#handles.set(stepId, inOrder(handles));
  }
}

function inOrder(handles: readonly OperatorStateHandle[]): readonly OperatorStateHandle[] {
  return handles.toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0));
}

/** Which key groups the next checkpoint writes whole. */
function groupsToWrite(handles: readonly OperatorStateHandle[], maxParallelism: number): ReadonlySet<number> {
  // Files that belong to a savepoint, or to somebody else, may go at any time.
  if (handles.some(({ file }) => checkpointIdOf(file.name) === null)) {
    return new Set(Array.from({ length: maxParallelism }, (_, group) => group));
  }
  const bytes = handles.map((handle) => bytesByGroup(handle, maxParallelism));
  const groups = Array.from({ length: maxParallelism }, (_, group) => {
    const sizes = bytes.flatMap((each) => each[group] ?? []).filter((size) => size > 0);
    const [first = 0] = sizes;
    return { group, first, all: sizes.reduce((sum, size) => sum + size, 0) };
  });
  const isOld = (group: number): boolean => handles.length > MAX_FILES && (bytes[0]?.[group] ?? 0) > 0;
  const wanted = groups
    .filter(({ group, first, all }) => all > first * OUTDATED_RATIO + OUTDATED_BYTES || isOld(group))
    .sort((a, b) => Number(isOld(b.group)) - Number(isOld(a.group)) || b.all - b.first - (a.all - a.first));
  const changed = bytes.at(-1)?.reduce((sum, size) => sum + size, 0) ?? 0;
  let left = Math.max(MIN_WHOLE_BYTES, changed * WHOLE_SHARE);
  const chosen = new Set<number>();
  for (const { group, first } of wanted) {
    if (left <= 0) break;
    chosen.add(group);
    left -= first;
  }
  return chosen;
}

function bytesByGroup({ chunks }: OperatorStateHandle, maxParallelism: number): Float64Array {
  const bytes = new Float64Array(maxParallelism);
  for (let at = 0; at + 2 < chunks.length; at += 3) {
    const group = chunks[at] as number;
    bytes[group] = (bytes[group] as number) + (chunks[at + 2] as number);
  }
  return bytes;
}

function withoutGroups(handle: OperatorStateHandle, groups: ReadonlySet<number>): readonly OperatorStateHandle[] {
  if (groups.size === 0) return [handle];
  const chunks = handle.chunks.filter((_, at) => !groups.has(handle.chunks[at - (at % 3)] as number));
  return chunks.length === 0 ? [] : [{ ...handle, chunks }];
}
