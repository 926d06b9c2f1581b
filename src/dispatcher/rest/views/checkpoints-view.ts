import type { CheckpointSummary } from '../../../scheduler/index.ts';
import type { JobGraph } from '../../../graph/index.ts';
import type { JobDetails } from '../../cluster-service.ts';
import { json, type JsonSchema } from '../json-schema.ts';

const SUMMARISED = [
  'checkpointed_size',
  'state_size',
  'end_to_end_duration',
  'alignment_buffered',
  'processed_data',
  'persisted_data',
] as const;

const distributionSchema = json.object(
  Object.fromEntries(['min', 'max', 'avg', 'p50', 'p90', 'p95', 'p99', 'p999'].map((name) => [name, json.number])),
);

const checkpointSchema = json.object(
  {
    className: json.oneOf('completed', 'in_progress', 'failed'),
    id: json.integer,
    status: json.oneOf('COMPLETED', 'IN_PROGRESS', 'FAILED'),
    is_savepoint: json.flag,
    savepointFormat: json.nullable(json.text),
    trigger_timestamp: json.time,
    latest_ack_timestamp: json.time,
    ...Object.fromEntries(SUMMARISED.map((name) => [name, json.integer])),
    num_subtasks: json.integer,
    num_acknowledged_subtasks: json.integer,
    checkpoint_type: json.text,
    tasks: json.map(json.text),
  },
  { external_path: json.text, discarded: json.flag, failure_timestamp: json.time, failure_message: json.text },
);

/** GET /jobs/:jobid/checkpoints */
export const checkpointsSchema: JsonSchema = json.object({
  counts: json.object({
    restored: json.integer,
    total: json.integer,
    in_progress: json.integer,
    completed: json.integer,
    failed: json.integer,
  }),
  summary: json.object(Object.fromEntries(SUMMARISED.map((name) => [name, distributionSchema]))),
  latest: json.object({
    completed: json.nullable(checkpointSchema),
    savepoint: json.nullable(checkpointSchema),
    failed: json.nullable(checkpointSchema),
    restored: json.nullable(
      json.object({
        id: json.integer,
        restore_timestamp: json.time,
        is_savepoint: json.flag,
        external_path: json.text,
      }),
    ),
  }),
  history: json.list(checkpointSchema),
});

export function checkpointsView({ checkpoints, origin, startedAtMs }: JobDetails): unknown {
  const { recent, completedCount, abortedCount } = checkpoints;
  const ofState = (wanted: CheckpointSummary['state']): readonly CheckpointSummary[] =>
    recent.filter(({ state }) => state === wanted);
  const completed = ofState('completed');
  const pending = ofState('pending').length;
  const newest = (all: readonly CheckpointSummary[]): unknown => (all[0] === undefined ? null : checkpointView(all[0]));
  return {
    counts: {
      restored: origin?.kind === 'restored' ? 1 : 0,
      total: completedCount + abortedCount + pending,
      in_progress: pending,
      completed: completedCount,
      failed: abortedCount,
    },
    summary: Object.fromEntries(
      SUMMARISED.map((name) => [name, distribution(completed.map((each) => sizesOf(each)[name]))]),
    ),
    latest: {
      completed: newest(completed),
      savepoint: null,
      failed: newest(ofState('aborted')),
      restored:
        origin?.kind === 'restored'
          ? {
              id: origin.checkpointId,
              restore_timestamp: startedAtMs,
              is_savepoint: origin.isSavepoint,
              external_path: '',
            }
          : null,
    },
    history: recent.map(checkpointView),
  };
}

const STATUS = {
  pending: ['in_progress', 'IN_PROGRESS'],
  completed: ['completed', 'COMPLETED'],
  aborted: ['failed', 'FAILED'],
} as const;

function checkpointView(checkpoint: CheckpointSummary): unknown {
  const { checkpointId, state, triggeredAtMs, endedAtMs, subtasks, acknowledged, failure } = checkpoint;
  const [className, status] = STATUS[state];
  return {
    className,
    id: checkpointId,
    status,
    is_savepoint: false,
    savepointFormat: null,
    trigger_timestamp: triggeredAtMs,
    latest_ack_timestamp: endedAtMs ?? triggeredAtMs,
    ...sizesOf(checkpoint),
    num_subtasks: subtasks,
    num_acknowledged_subtasks: acknowledged,
    checkpoint_type: 'CHECKPOINT',
    tasks: {},
    ...(state === 'completed' ? { external_path: '', discarded: false } : {}),
    ...(state === 'aborted'
      ? { failure_timestamp: endedAtMs ?? triggeredAtMs, failure_message: failure ?? 'aborted' }
      : {}),
  };
}

function sizesOf({ stateBytes, inFlightBytes, durationMs }: CheckpointSummary): Record<Summarised, number> {
  return {
    checkpointed_size: stateBytes,
    state_size: stateBytes,
    end_to_end_duration: Math.round(durationMs),
    alignment_buffered: 0,
    processed_data: 0,
    persisted_data: inFlightBytes,
  };
}

type Summarised = (typeof SUMMARISED)[number];

/** By the nearest rank: of few values, one of them. */
function distribution(values: readonly number[]): unknown {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  const average = sorted.length === 0 ? 0 : sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return {
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0,
    avg: Math.round(average),
    p50: rank(0.5),
    p90: rank(0.9),
    p95: rank(0.95),
    p99: rank(0.99),
    p999: rank(0.999),
  };
}

/** GET /jobs/:jobid/checkpoints/config */
export const checkpointConfigSchema: JsonSchema = json.object({
  mode: json.oneOf('exactly_once', 'at_least_once'),
  interval: json.integer,
  timeout: json.integer,
  min_pause: json.integer,
  max_concurrent: json.integer,
  externalization: json.object({ enabled: json.flag, delete_on_cancellation: json.flag }),
  state_backend: json.text,
  checkpoint_storage: json.text,
  unaligned_checkpoints: json.flag,
  tolerable_failed_checkpoints: json.integer,
  aligned_checkpoint_timeout: json.integer,
  checkpoints_after_tasks_finish: json.flag,
});

/** What Flink says where there is no periodic checkpoint. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;

export function checkpointConfigView({ checkpoint, state }: JobGraph): unknown {
  const alignmentMs = checkpoint?.alignmentTimeoutMs;
  return {
    mode: checkpoint?.mode === 'at-least-once' ? 'at_least_once' : 'exactly_once',
    interval: checkpoint?.intervalMs ?? NEVER_MS,
    timeout: checkpoint?.timeoutMs ?? 0,
    min_pause: checkpoint?.minPauseMs ?? 0,
    max_concurrent: 1,
    externalization: { enabled: checkpoint !== null, delete_on_cancellation: false },
    state_backend: state?.backend ?? 'memory',
    checkpoint_storage: checkpoint?.storage?.location ?? '',
    unaligned_checkpoints: alignmentMs !== undefined,
    tolerable_failed_checkpoints: checkpoint?.tolerableFailures ?? 0,
    aligned_checkpoint_timeout: alignmentMs ?? 0,
    checkpoints_after_tasks_finish: true,
  };
}
