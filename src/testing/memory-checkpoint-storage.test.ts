import { describe, it } from '@jest/globals';
import { checkpointIdOf } from '../core/index.ts';
import { checkpointStorageContract } from './checkpoint-storage-contract.ts';
import { MemoryCheckpointStorage } from './memory-checkpoint-storage.ts';

describe('the contract of checkpoint storages', () => {
  it.each(checkpointStorageContract)('in memory: $title', async ({ run }) => {
    const storage = new MemoryCheckpointStorage();
    await run({
      open: () => storage,
      bytesOf: (name) => storage.bytesOf(name),
      replace: (name, bytes) => storage.replace(name, bytes),
      locationOf: ({ name }) => String(checkpointIdOf(name)),
    });
  });
});
