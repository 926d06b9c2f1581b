/**
 * How files in checkpoint storage are named, and which of them may be removed (docs/design/010, Deletion). Pure: the
 * coordinator writes tombstones and removes files, the storage only does as it is told.
 *
 * Order of calls. When a checkpoint leaves the retained ones: addTombstones() in the record that moves the pointer.
 * When an execution starts: orphans() of a listing, then addTombstones(). Now and then: dueTombstones(), remove the
 * files that it names, then write the record with what it keeps.
 */
import type { CheckpointMetadata, CheckpointPointer, SubtaskSnapshot } from './checkpoint.ts';

/** A file that nothing retained names, to be removed once `afterMs` (milliseconds since the epoch) has come. */
export interface Tombstone {
  readonly name: string;
  readonly afterMs: number;
}

const OWN_NAME = /^chk-(0|[1-9]\d{0,15})\/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}$/;
const CHECKPOINT_DIRECTORY = /^chk-(0|[1-9]\d{0,15})$/;
const MAX_OWNER_LENGTH = 100;

export const METADATA_SUFFIX = '.metadata';
/** Of a file that is still being written, or whose writer died. */
export const TEMPORARY_SUFFIX = '.tmp';

export function checkpointDirectory(checkpointId: number): string {
  return `chk-${checkpointId}`;
}

export function isCheckpointDirectory(name: string): boolean {
  return CHECKPOINT_DIRECTORY.test(name);
}

/** `random` makes it unique: 16 hexadecimal digits. */
export function stateFileName(checkpointId: number, owner: string, random: string): string {
  const safeOwner = owner.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, MAX_OWNER_LENGTH);
  return `${checkpointDirectory(checkpointId)}/${safeOwner}-${random}.state`;
}

export function metadataFileName(checkpointId: number, generation: number, random: string): string {
  return `${checkpointDirectory(checkpointId)}/${generation}-${random}${METADATA_SUFFIX}`;
}

/** The checkpoint for which a file was written; null for a name that no storage makes, an absolute one among them. */
export function checkpointIdOf(name: string): number | null {
  const digits = OWN_NAME.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** All files that a completed checkpoint needs, each once. */
export function filesOf(pointer: CheckpointPointer, metadata: CheckpointMetadata): readonly string[] {
  const names = new Set([pointer.metadata.name]);
  for (const { subtasks } of metadata.vertices) {
    for (const snapshot of subtasks) for (const name of stateFilesOf(snapshot)) names.add(name);
  }
  return [...names];
}

/** The files that a subtask's contribution names; some perhaps more than once. */
export function stateFilesOf({
  operators,
  channels = [],
}: Pick<SubtaskSnapshot, 'operators' | 'channels'>): readonly string[] {
  return [...operators, ...channels].map(({ file }) => file.name);
}

/**
 * The tombstones with `names` added: those that no retained checkpoint names, have no tombstone yet and belong to this
 * storage. Files that an operator has pointed to elsewhere, which have absolute names, are not ours to remove.
 */
export function addTombstones(
  tombstones: readonly Tombstone[],
  names: Iterable<string>,
  retained: ReadonlySet<string>,
  afterMs: number,
): readonly Tombstone[] {
  const known = new Set(tombstones.map(({ name }) => name));
  const added: Tombstone[] = [];
  for (const name of names) {
    if (retained.has(name) || known.has(name) || checkpointIdOf(name) === null) continue;
    known.add(name);
    added.push({ name, afterMs });
  }
  return [...tombstones, ...added];
}

export interface DueTombstones {
  /** To be removed now. */
  readonly remove: readonly string[];
  /** What the record holds once they are: those that are not due, without any that a retained checkpoint names. */
  readonly keep: readonly Tombstone[];
}

export function dueTombstones(
  tombstones: readonly Tombstone[],
  retained: ReadonlySet<string>,
  nowMs: number,
): DueTombstones {
  const buried = tombstones.filter(({ name }) => !retained.has(name));
  return {
    remove: buried.filter(({ afterMs }) => afterMs <= nowMs).map(({ name }) => name),
    keep: buried.filter(({ afterMs }) => afterMs > nowMs),
  };
}

/**
 * Files that nothing names and nobody is writing any more: what aborted checkpoints and dead processes have left.
 * `firstLiveId` is the least id that the present execution may still write for; at its start, before it triggers
 * anything, the record's nextCheckpointId. Later, `retained` must also hold the files of final snapshots: those of
 * tasks that have ended become part of checkpoints after the one whose id is in their names.
 */
export function orphans(
  listed: Iterable<string>,
  retained: ReadonlySet<string>,
  firstLiveId: number,
): readonly string[] {
  return [...listed].filter((name) => {
    const checkpointId = checkpointIdOf(name);
    return checkpointId !== null && checkpointId < firstLiveId && !retained.has(name);
  });
}
