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

/** The generation that has made a temporary file of this owner; null for any other file. */
export function generationOf(name: string, owner: string): number | null {
  const match = /^\.([0-9a-f]{8})-(\d+)-\d+-\d+\.tmp$/.exec(name);
  return match?.[1] === owner ? Number(match[2]) : null;
}
