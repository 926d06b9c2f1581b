import { failureOf } from './connection.ts';
import { FIRST_EPOCH } from './epoch.ts';
import type { ZooKeeperPaths } from './paths.ts';
import type { ZooKeeperSession } from './session.ts';

/** Makes the nodes that must be there, where they are missing. */
export async function ensureNodes(session: ZooKeeperSession, paths: ZooKeeperPaths): Promise<void> {
  for (const path of paths.persistent) {
    // Looked for first: who may not make it need not, where it is there.
    if (await session.repeat((connection) => connection.exists(path))) continue;
    const data = path === paths.epoch ? FIRST_EPOCH : new Uint8Array();
    try {
      await session.repeat((connection) => connection.create(path, data, 'persistent'));
    } catch (error) {
      if (failureOf(error) !== 'node-exists') throw error;
    }
  }
}
