/** A file that is written and not yet visible, as a checkpoint holds it, and how it becomes visible. */
import { stepId } from '../../core/index.ts';
import type { Committable, FileSystem, Ports } from '../../core/index.ts';
import { fileErrors } from './errors.ts';

export interface FileHandle {
  readonly stepId: string;
  readonly subtaskIndex: number;
  /** The first checkpoint that it belongs to. */
  readonly checkpointId: number;
  readonly directory: string;
  readonly temporary: string;
  readonly name: string;
  readonly sizeBytes: number;
}

const VERSION = 1;

export function toCommittable(handle: FileHandle): Committable {
  const { subtaskIndex, checkpointId, directory, temporary, name, sizeBytes } = handle;
  const data = { version: VERSION, directory, temporary, name, sizeBytes };
  return { stepId: stepId(handle.stepId), subtaskIndex, checkpointId, data };
}

/** Throws TypeError for what toCommittable has not made. */
export function fromCommittable({ stepId: step, subtaskIndex, checkpointId, data }: Committable): FileHandle {
  const { version, directory, temporary, name, sizeBytes } = data;
  const isWhole =
    version === VERSION &&
    typeof directory === 'string' &&
    typeof temporary === 'string' &&
    typeof name === 'string' &&
    typeof sizeBytes === 'number';
  if (!isWhole) throw new TypeError(`not the handle of a file: ${JSON.stringify(data)}`);
  return { stepId: step, subtaskIndex, checkpointId, directory, temporary, name, sizeBytes };
}

/**
 * Gives the file its name. Repeating it, from any process, is harmless: under its name and of its size, it is there.
 * Rejects with MR-FILE-LOST where it is neither there nor waiting.
 */
export async function commitFile(handle: FileHandle, { files, crashPoints }: Ports): Promise<void> {
  const { directory, name, sizeBytes } = handle;
  const temporary = `${directory}/${handle.temporary}`;
  const path = `${directory}/${name}`;
  const waiting = await files.stat(temporary);
  if (waiting?.sizeBytes === sizeBytes && (await renames(files, temporary, path))) {
    await files.syncDirectory(directory);
    crashPoints?.reached('transaction-committed');
    return;
  }
  const present = await files.stat(path);
  if (present?.sizeBytes === sizeBytes) {
    await files.syncDirectory(directory);
    return;
  }
  const found = waiting ?? present;
  const problem = found === null ? 'there is no such file' : `it has ${found.sizeBytes} bytes instead of ${sizeBytes}`;
  const { stepId: step, subtaskIndex: subtask, checkpointId: checkpoint } = handle;
  throw fileErrors.create('MR-FILE-LOST', { path, temporary, step, subtask, checkpoint, problem });
}

/** False where the file is gone: somebody else has given it its name meanwhile. */
async function renames(files: FileSystem, from: string, to: string): Promise<boolean> {
  try {
    await files.rename(from, to);
    return true;
  } catch (error) {
    if ((await files.stat(from)) === null) return false;
    throw error;
  }
}
