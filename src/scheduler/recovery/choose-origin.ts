import { isMillraceError } from '../../core/index.ts';
import type { CheckpointMetadata, CheckpointPointer, CheckpointStorage } from '../../core/index.ts';
import type { JobRecord } from '../../ha/index.ts';
import type { StartMode } from '../start-mode.ts';

/** A completed checkpoint and what it holds. */
export interface FoundCheckpoint {
  readonly pointer: CheckpointPointer;
  readonly metadata: CheckpointMetadata;
}

/** What an execution starts from, by docs/design/011. Nothing is done about it yet. */
export interface Origin {
  /** Null for nothing. */
  readonly from: FoundCheckpoint | null;
  /** Whether the record has to be told, because it names something else. */
  readonly isChange: boolean;
  /** A completed checkpoint that is not started from: its output counts all the same. */
  readonly abandoned: CheckpointPointer | null;
  /** The job had finished, with this checkpoint. */
  readonly finishedWith: number | null;
  readonly warnings: readonly string[];
}

const NOTHING: Origin = { from: null, isChange: false, abandoned: null, finishedWith: null, warnings: [] };

/** `mayRepeat` says that nothing commits with checkpoints, so that an older one will do where the last is damaged. */
export async function chooseOrigin(
  start: StartMode,
  record: JobRecord,
  storage: CheckpointStorage,
  mayRepeat: boolean,
): Promise<Origin> {
  const last = record.checkpoints.at(-1) ?? null;
  const abandoned = last?.kind === 'checkpoint' && !record.isFinished ? last : null;
  switch (start.kind) {
    case 'fresh':
      return { ...NOTHING, isChange: true, abandoned };
    case 'from': {
      const file = await storage.findMetadata(start.location);
      const metadata = await storage.readMetadata(file);
      const { checkpointId, kind, completedAtMs } = metadata;
      const pointer: CheckpointPointer = { checkpointId, kind, metadata: file, completedAtMs };
      return { ...NOTHING, isChange: true, abandoned, from: { pointer, metadata } };
    }
    case 'resume':
      if (record.isFinished) return { ...NOTHING, isChange: true, finishedWith: last?.checkpointId ?? null };
      return last === null ? NOTHING : newestReadable(last, record, storage, mayRepeat);
  }
}

async function newestReadable(
  last: CheckpointPointer,
  record: JobRecord,
  storage: CheckpointStorage,
  mayRepeat: boolean,
): Promise<Origin> {
  const warnings: string[] = [];
  for (const pointer of record.checkpoints.toReversed()) {
    try {
      const from = { pointer, metadata: await storage.readMetadata(pointer.metadata) };
      return { ...NOTHING, from, isChange: pointer !== last, warnings };
    } catch (error) {
      const isDamaged = isMillraceError(error) && error.code === 'MR-STATE-DAMAGED';
      const isOldest = pointer === record.checkpoints[0];
      if (!isDamaged || !mayRepeat || isOldest) throw error;
      warnings.push(`checkpoint ${pointer.checkpointId} is left out: ${error.message}`);
    }
  }
  return NOTHING;
}
