import { MillraceError } from '../../core/index.ts';
import type { CheckpointMetadata, CheckpointStorage, StateFile } from '../../core/index.ts';
import type { MemoryCheckpointStorage } from '../memory-checkpoint-storage.ts';
import { clockOf } from './context.ts';
import type { Context } from './context.ts';

const LEAST_MS = 0.5;
const LONGEST_MS = 15;

/** The checkpoint storage that all processes share. */
export class SharedStorage {
  readonly memory: MemoryCheckpointStorage;
  readonly #onMetadata: (name: string, metadata: CheckpointMetadata) => void;
  /** Whether a restart is given the checkpoint before the one that it asks for, or one without handles. */
  readonly damage: 'none' | 'stale' | 'no-handles';
  /** Newest last. */
  readonly #written: StateFile[] = [];
  isAway = false;

  constructor(
    memory: MemoryCheckpointStorage,
    damage: SharedStorage['damage'],
    onMetadata: (name: string, metadata: CheckpointMetadata) => void,
  ) {
    this.memory = memory;
    this.damage = damage;
    this.#onMetadata = onMetadata;
  }

  /** As a process has it: what it does takes time, and comes about even if it dies before it hears so. */
  of(context: Context): CheckpointStorage {
    const { world } = context;
    const clock = clockOf(context);
    const slowly = async <T>(act: () => Promise<T>): Promise<T> => {
      await clock.sleep(world.between(LEAST_MS, LONGEST_MS));
      if (this.isAway) throw storageError();
      const result = await act();
      await clock.sleep(world.between(LEAST_MS, LONGEST_MS));
      return result;
    };
    const { memory } = this;
    return {
      createFile: async (checkpointId, owner) => {
        const writer = await memory.createFile(checkpointId, owner);
        return { append: writer.append, finish: () => slowly(() => writer.finish()), abort: writer.abort };
      },
      openFile: (file) => slowly(() => memory.openFile(file)),
      writeMetadata: (metadata) => slowly(() => this.#write(metadata)),
      readMetadata: (file) => slowly(() => this.#read(file)),
      findMetadata: (location) => slowly(() => memory.findMetadata(location)),
      remove: (name) => slowly(() => memory.remove(name)),
      list: () => slowly(() => memory.list()),
    };
  }

  async #write(metadata: CheckpointMetadata): Promise<StateFile> {
    const file = await this.memory.writeMetadata(metadata);
    this.#written.push(file);
    this.#onMetadata(file.name, metadata);
    return file;
  }

  async #read(file: StateFile): Promise<CheckpointMetadata> {
    const found = await this.memory.readMetadata(file);
    if (this.damage === 'no-handles') {
      const vertices = found.vertices.map((vertex) => ({
        ...vertex,
        subtasks: vertex.subtasks.map((subtask) => ({ ...subtask, committables: [] })),
      }));
      return { ...found, vertices };
    }
    const before = this.#written[this.#written.findIndex(({ name }) => name === file.name) - 1];
    if (this.damage === 'none' || before === undefined) return found;
    return { ...(await this.memory.readMetadata(before)), checkpointId: found.checkpointId };
  }
}

function storageError(): MillraceError {
  const row = { domain: 'external', scope: 'task', retry: 'backoff', message: 'the storage is away' } as const;
  return new MillraceError('MR-TEST-STORAGE', row, {});
}
