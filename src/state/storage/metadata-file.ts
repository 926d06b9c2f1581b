import { basename, dirname } from 'node:path';

import {
  checkpointDirectory,
  ENVELOPE_HEADER_BYTES,
  ENVELOPE_TRAILER_BYTES,
  readShape,
  type ChannelStateHandle,
  type CheckpointMetadata,
  type OperatorStateHandle,
  type StateFile,
  type StateFileWriter,
} from '../../core/index.ts';
import { checkFile, damaged, METADATA_ENVELOPE, readPart, type Content, type ReadableFile } from './checked-file.ts';
import { decodeJson, encodeJson } from './lossless-json.ts';
import { metadataShape } from './metadata-shape.ts';

/** Far above what metadata takes; a larger file is not held in memory. */
const MAX_METADATA_BYTES = 1024 * 1024 * 1024;

export interface FoundMetadata {
  readonly metadata: CheckpointMetadata;
  readonly content: Content;
}

/** Checks all of a metadata file, and reads it; any that is sound without `expected`. */
export async function readMetadataFile(
  file: ReadableFile,
  path: string,
  expected: Content | null,
  likelySize?: number,
): Promise<FoundMetadata> {
  const content = await checkFile(file, path, METADATA_ENVELOPE, expected, likelySize);
  const { sizeBytes } = content;
  if (sizeBytes > MAX_METADATA_BYTES) throw damaged(path, `it has ${sizeBytes} bytes`);
  const bytes = await readPart(file, path, sizeBytes, { position: 0, length: sizeBytes });
  return { metadata: decodeMetadata(bytes, path), content };
}

/** Writes a file that `create` begins, whole or not at all. */
export async function writeMetadataFile(
  metadata: CheckpointMetadata,
  create: () => StateFileWriter | Promise<StateFileWriter>,
): Promise<StateFile> {
  const body = encodeJson(metadata);
  const writer = await create();
  try {
    await writer.append(body);
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return writer.finish();
}

/** `bytes` is a whole file, whose envelope was checked. */
function decodeMetadata(bytes: Uint8Array, path: string): CheckpointMetadata {
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
 * The same checkpoint where the metadata stands at `path`, a URL perhaps, outside the storage: its files get absolute
 * names. Those of its own directory are beside the metadata, whatever that directory is called by now; those of other
 * checkpoints in the directories next to it.
 */
export function relocated(metadata: CheckpointMetadata, path: string): CheckpointMetadata {
  const here = dirname(path);
  const own = checkpointDirectory(metadata.checkpointId);
  const locate = (name: string): string =>
    dirname(name) === own ? `${here}/${basename(name)}` : `${dirname(here)}/${name}`;
  const moved = <T extends OperatorStateHandle | ChannelStateHandle>(handle: T): T => ({
    ...handle,
    file: { ...handle.file, name: locate(handle.file.name) },
  });
  return {
    ...metadata,
    vertices: metadata.vertices.map((vertex) => ({
      ...vertex,
      subtasks: vertex.subtasks.map((subtask) => ({
        ...subtask,
        operators: subtask.operators.map(moved),
        ...(subtask.channels === undefined ? {} : { channels: subtask.channels.map(moved) }),
      })),
    })),
  };
}
