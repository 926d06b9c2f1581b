import type { CheckpointStorage, CheckpointStorageConfig, Ports } from '../../core/index.ts';
import { DirectoryStorage } from './directory-storage.ts';

/** The storage that this configuration describes. Touches nothing before the first call. */
export function openCheckpointStorage(config: CheckpointStorageConfig, ports: Ports): CheckpointStorage {
  return new DirectoryStorage(config.path, ports);
}
