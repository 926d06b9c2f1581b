/** Names of the files that a sink writes: the only place that builds them. */
import { crc32c } from '../../core/index.ts';
import type { RunIdentity } from '../../core/index.ts';

const SUFFIXES: Readonly<Record<string, string>> = { json: '.jsonl', csv: '.csv', raw: '.txt' };

/** Whatever begins so, in the directory of a sink, is its output. */
export const PART_PREFIX = 'part-';

/** The one file of a subtask that delivers at least once. */
export function partFile(subtaskIndex: number, format: string): string {
  return `${PART_PREFIX}${subtaskIndex}${SUFFIXES[format] ?? ''}`;
}

/** The file of a subtask and checkpoint. Checkpoint ids alone could come again after a restart. */
export function checkpointFile(
  subtaskIndex: number,
  generation: number,
  checkpointId: number,
  format: string,
): string {
  return `${PART_PREFIX}${subtaskIndex}-${generation}-${checkpointId}${SUFFIXES[format] ?? ''}`;
}

/** Whose temporary files those are: no other step's, of no other job. */
export function ownerOf({ clusterId, jobName }: RunIdentity, stepId: string): string {
  const checksum = crc32c(Buffer.from(JSON.stringify([clusterId, jobName, stepId])));
  return (checksum >>> 0).toString(16).padStart(8, '0');
}

/** Begins with a dot, so that readers of the directory leave it alone. */
export function temporaryFile(owner: string, generation: number, subtaskIndex: number, count: number): string {
  return `.${owner}-${generation}-${subtaskIndex}-${count}.tmp`;
}

/** So many files of a subtask have their names in one file of commits. */
export const COMMITS_PER_FILE = 1000;

/**
 * The names that some of a subtask's files were given, so that it is known of those that somebody has taken away since.
 * `count` as in temporaryFile().
 */
export function commitsFile(owner: string, generation: number, subtaskIndex: number, count: number): string {
  return `.${owner}-${generation}-${subtaskIndex}-${Math.floor(count / COMMITS_PER_FILE)}.commits`;
}

/** A file of a sink beside its output, and who has made it. */
export interface HiddenFile {
  readonly kind: 'temporary' | 'commits';
  readonly generation: number;
  readonly subtaskIndex: number;
}

/** What a file of this owner is, beside its output; null for any other. */
export function describeHidden(name: string, owner: string): HiddenFile | null {
  const match = /^\.([0-9a-f]{8})-(\d+)-(\d+)-\d+\.(tmp|commits)$/.exec(name);
  if (match?.[1] !== owner) return null;
  const kind = match[4] === 'commits' ? 'commits' : 'temporary';
  return { kind, generation: Number(match[2]), subtaskIndex: Number(match[3]) };
}
