import { shape, type CheckpointPointer, type Shape } from '../core/index.ts';
import type { JobRecord } from './job-store.ts';

const { fields, flag, integer, list, number, oneOf, text, where } = shape;

/** Of every version-1 record, wherever it is stored. */
export const jobRecordShape: Shape<JobRecord> = fields({
  version: oneOf(1),
  jobName: text,
  clusterId: text,
  generation: integer(0),
  runs: list(
    fields(
      { generation: integer(0), parallelism: integer(1) },
      { tolerableFailures: integer(0), subtasks: list(integer(0)) },
    ),
  ),
  nextCheckpointId: integer(0),
  checkpoints: list<CheckpointPointer>(
    fields({
      checkpointId: integer(0),
      kind: oneOf('checkpoint', 'savepoint'),
      metadata: fields({
        name: text,
        sizeBytes: integer(0),
        checksum: where(text, (value) => /^[0-9a-f]{8}$/.test(value), 'a checksum'),
      }),
      completedAtMs: number,
    }),
  ),
  maxParallelism: integer(0),
  isFinished: flag,
  tombstones: list(fields({ name: text, afterMs: number })),
});
