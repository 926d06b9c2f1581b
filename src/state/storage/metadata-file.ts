import { basename, dirname, join } from 'node:path';

import {
  checkpointDirectory,
  ENVELOPE_HEADER_BYTES,
  ENVELOPE_TRAILER_BYTES,
  readShape,
  type CheckpointMetadata,
  type OperatorStateHandle,
} from '../../core/index.ts';
import { damaged } from './checked-file.ts';
import { decodeJson, encodeJson } from './lossless-json.ts';
import { metadataShape } from './metadata-shape.ts';

export function encodeMetadata(metadata: CheckpointMetadata): Uint8Array {
  return encodeJson(metadata);
}

/** `bytes` is a whole file, whose envelope was checked. */
export function decodeMetadata(bytes: Uint8Array, path: string): CheckpointMetadata {
  let json: unknown;
  try {
    json = decodeJson(bytes.subarray(ENVELOPE_HEADER_BYTES, bytes.length - ENVELOPE_TRAILER_BYTES));
  } catch {
    throw damaged(path, 'it is not JSON');
  }
  const reading = readShape(metadataShape, json);
  if (reading.kind === 'refused') throw damaged(path, reading.reason);
  return reading.value;
}

/**
 * The same checkpoint where the metadata stands at `path`, outside the storage: its files get absolute names. Those of
 * its own directory are beside the metadata, whatever that directory is called by now; those of other checkpoints in
 * the directories next to it.
 */
export function relocated(metadata: CheckpointMetadata, path: string): CheckpointMetadata {
  const here = dirname(path);
  const own = checkpointDirectory(metadata.checkpointId);
  const locate = (name: string): string =>
    dirname(name) === own ? join(here, basename(name)) : join(dirname(here), name);
  const moved = (handle: OperatorStateHandle): OperatorStateHandle => ({
    ...handle,
    file: { ...handle.file, name: locate(handle.file.name) },
  });
  return {
    ...metadata,
    vertices: metadata.vertices.map((vertex) => ({
      ...vertex,
      subtasks: vertex.subtasks.map((subtask) => ({ ...subtask, operators: subtask.operators.map(moved) })),
    })),
  };
}
