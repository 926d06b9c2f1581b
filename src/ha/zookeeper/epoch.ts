import { readShape, shape } from '../../core/index.ts';
import { toJson } from '../announced.ts';
import { haErrors } from '../errors.ts';
import { parseJson } from '../parse-json.ts';
import type { ZooKeeperConnection } from './connection.ts';
import type { ZooKeeperPaths } from './paths.ts';

/** Who was granted the leadership last. */
export interface Epoch {
  readonly epoch: number;
  readonly dispatcherId: string;
  /** Its node in the election; empty where nobody has led yet. */
  readonly electionNode: string;
}

export interface StoredEpoch extends Epoch {
  /** Of the node that holds it: what every write of that leadership checks. */
  readonly version: number;
}

const epochShape = shape.fields({ epoch: shape.integer(0), dispatcherId: shape.text, electionNode: shape.text });

export const FIRST_EPOCH: Uint8Array = toJson({ epoch: 0, dispatcherId: '', electionNode: '' } satisfies Epoch);

export async function readEpoch(connection: ZooKeeperConnection, paths: ZooKeeperPaths): Promise<StoredEpoch> {
  const node = await connection.getData(paths.epoch);
  if (node === null) throw damaged(paths, 'it was removed: whoever leads cannot be told from whoever led');
  const reading = readShape(epochShape, parseJson(node.data));
  if (reading.kind === 'refused') throw damaged(paths, reading.reason);
  return { ...reading.value, version: node.version };
}

function damaged(paths: ZooKeeperPaths, reason: string): Error {
  return haErrors.create('MR-HA-DAMAGED', { file: paths.epoch, record: 'the epoch of the leader', reason });
}
