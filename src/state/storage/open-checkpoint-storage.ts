import type { CheckpointStorage, CheckpointStorageConfig, CheckpointStorageRoot, Ports } from '../../core/index.ts';
import { DirectoryStorage } from './directory-storage.ts';
import { PlacedStorage } from './placed-storage.ts';
import { S3Storage } from './s3/index.ts';

/** No path is inside. */
const NO_ROOT = '/\0';

/**
 * The storage that this configuration describes. Asks nobody for anything before the first call. Checkpoints that stand
 * at any other path or URL can be read through it, too.
 */
export function openCheckpointStorage(config: CheckpointStorageConfig, ports: Ports): CheckpointStorage {
  const { s3 = {}, older = [] } = config;
  const open = (root: CheckpointStorageRoot): CheckpointStorage =>
    root.kind === 'directory' ? new DirectoryStorage(root.path, ports) : new S3Storage(root, s3, ports);
  const own = config.kind === 's3' ? new S3Storage(config, s3, ports).prepare() : open(config);
  let elsewhere: CheckpointStorage | null = null;
  const other = (root: CheckpointStorageRoot): CheckpointStorage =>
    root.kind === config.kind ? own : (elsewhere ??= open(root));
  return new PlacedStorage(own, older.map(open), {
    path: () => other({ kind: 'directory', path: NO_ROOT }),
    s3: () => other({ kind: 's3', bucket: '', prefix: '' }),
  });
}
