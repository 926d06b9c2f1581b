/**
 * How a prepared file becomes visible, whoever does it, and however often: its name is written down, durably, in the
 * file of commits of its subtask, then given by a rename. So a file that is not there under its temporary name, though
 * written down, had its name at some time: it is committed, even if somebody has taken it away since.
 */
import type { FileSystem, Ports } from '../../core/index.ts';
import { fileErrors } from './errors.ts';
import type { FileHandle } from './file-handle.ts';

/** Rejects with MR-FILE-LOST where the file is neither waiting nor written down, nor there. */
export async function commitFile(handle: FileHandle, { files, crashPoints }: Ports): Promise<void> {
  const { directory, name, sizeBytes } = handle;
  const temporary = `${directory}/${handle.temporary}`;
  const path = `${directory}/${name}`;
  const waiting = await files.stat(temporary);
  if (waiting?.sizeBytes === sizeBytes) {
    await writeDown(handle, files);
    if (await renames(files, temporary, path)) {
      await files.syncDirectory(directory);
      crashPoints?.reached('transaction-committed');
      return;
    }
  }
  if (waiting === null && (await isWrittenDown(handle, files))) return;
  const present = await files.stat(path);
  if (present?.sizeBytes === sizeBytes) return;
  const found = waiting ?? present;
  const problem = found === null ? 'there is no such file' : `it has ${found.sizeBytes} bytes instead of ${sizeBytes}`;
  const { stepId: step, subtaskIndex: subtask, checkpointId: checkpoint } = handle;
  throw fileErrors.create('MR-FILE-LOST', { path, temporary, step, subtask, checkpoint, problem });
}

async function writeDown({ directory, commits, name }: FileHandle, files: FileSystem): Promise<void> {
  const file = await files.open(`${directory}/${commits}`, 'append');
  try {
    // A line of its own even where a crash has cut the one before.
    await file.append(Buffer.from(`\n${name}\n`));
    await file.sync();
  } finally {
    await file.close();
  }
}

async function isWrittenDown({ directory, commits, name }: FileHandle, files: FileSystem): Promise<boolean> {
  const path = `${directory}/${commits}`;
  if ((await files.stat(path)) === null) return false;
  return (await files.readText(path)).split('\n').includes(name);
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
