import type { CheckpointPointer, OlderRun, Tombstone } from '../core/index.ts';

/** What must survive of a job that takes checkpoints. Plain data, small: everything large is in checkpoint storage. */
export interface JobRecord {
  readonly version: 1;
  readonly jobName: string;
  /** Made by chance with the first record, then kept: part of every transactional id. */
  readonly clusterId: string;
  /** Of the newest execution; raised before it deploys anything. */
  readonly generation: number;
  /** Executions that may have left transactions open, the present one too; dropped once those are known to be ended. */
  readonly runs: readonly OlderRun[];
  /** No checkpoint at or above this id has been triggered yet; reserved ahead, so that none is used twice. */
  readonly nextCheckpointId: number;
  /** Completed and retained, oldest first. The last one is what a restart restores. */
  readonly checkpoints: readonly CheckpointPointer[];
  /** Fixed by the first checkpoint. */
  readonly maxParallelism: number;
  /** Whether the job ended by itself: there is nothing to resume. */
  readonly isFinished: boolean;
  /** Files to remove (core/checkpoint-files.ts): no retained checkpoint names them. */
  readonly tombstones: readonly Tombstone[];
}

export interface StoredJob {
  readonly record: JobRecord;
  /** Raised by one at every write; from 0. */
  readonly version: number;
}

/**
 * The store of jobs, held by one leader. Every write is a compare-and-set that also checks the leadership: once another
 * process leads, nothing of this one counts any more (MR-HA-FENCED).
 */
export interface JobStore {
  /** Null where no such job is known. */
  read(jobName: string): Promise<StoredJob | null>;
  /**
   * Writes the record if the stored version is still `expected` (null: if there is none yet) and resolves to the new
   * version, durable. Rejects with MR-HA-CONFLICT where it is not; with an answer that is lost it reads back first.
   */
  write(record: JobRecord, expected: number | null): Promise<number>;
  /** Forgets a job. Harmless where it is not known. */
  remove(jobName: string): Promise<void>;
  /** Ends the leadership. */
  close(): Promise<void>;
}
