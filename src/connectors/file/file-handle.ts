/** A file that is written and not yet visible, as a checkpoint holds it. */
import { stepId } from '../../core/index.ts';
import type { Committable } from '../../core/index.ts';

export interface FileHandle {
  readonly stepId: string;
  readonly subtaskIndex: number;
  /** The first checkpoint that it belongs to. */
  readonly checkpointId: number;
  readonly directory: string;
  readonly temporary: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** Where its name is written down before it is given. */
  readonly commits: string;
}

const VERSION = 1;

export function toCommittable(handle: FileHandle): Committable {
  const { subtaskIndex, checkpointId, directory, temporary, name, sizeBytes, commits } = handle;
  const data = { version: VERSION, directory, temporary, name, sizeBytes, commits };
  return { stepId: stepId(handle.stepId), subtaskIndex, checkpointId, data };
}

/** Throws TypeError for what toCommittable has not made. */
export function fromCommittable({ stepId: step, subtaskIndex, checkpointId, data }: Committable): FileHandle {
  const { version, directory, temporary, name, sizeBytes, commits } = data;
  const isWhole =
    version === VERSION &&
    typeof directory === 'string' &&
    typeof temporary === 'string' &&
    typeof name === 'string' &&
    typeof sizeBytes === 'number' &&
    typeof commits === 'string';
  if (!isWhole) throw new TypeError(`not the handle of a file: ${JSON.stringify(data)}`);
  return { stepId: step, subtaskIndex, checkpointId, directory, temporary, name, sizeBytes, commits };
}
