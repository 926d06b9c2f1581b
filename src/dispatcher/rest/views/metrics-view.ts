import { counterNames } from '../../../core/index.ts';
import type { JobVertex } from '../../../graph/index.ts';
import type { JobDetails } from '../../cluster-service.ts';
import { json, type JsonSchema } from '../json-schema.ts';
import { subtaskCounters } from './io-metrics.ts';
import { durationOf } from './overview-view.ts';

/** Where nothing is asked for, the names alone, as in Flink. */
export const metricsSchema: JsonSchema = json.list(json.object({ id: json.text }, { value: json.text }));

/** GET /jobs/:jobid/metrics?get= */
export function jobMetricsView(job: JobDetails, asked: string | null, nowMs: number): unknown {
  const { completedCount, abortedCount, recent } = job.checkpoints;
  const { crossRackBytesIn, crossRackBytesOut } = counterNames;
  const last = recent.find(({ state }) => state === 'completed');
  return selectMetrics(asked, [
    ['uptime', durationOf(job.startedAtMs, job.endedAtMs, nowMs)],
    ['numRestarts', job.restarts],
    ['numberOfCompletedCheckpoints', completedCount],
    ['numberOfFailedCheckpoints', abortedCount],
    ['numberOfInProgressCheckpoints', recent.filter(({ state }) => state === 'pending').length],
    ['totalNumberOfCheckpoints', completedCount + abortedCount],
    ['lastCheckpointDuration', Math.round(last?.durationMs ?? -1)],
    ['lastCheckpointSize', last?.stateBytes ?? -1],
    [crossRackBytesIn.name, totalOf(job, crossRackBytesIn.name)],
    [crossRackBytesOut.name, totalOf(job, crossRackBytesOut.name)],
  ]);
}

/** Of all steps. */
function totalOf({ metrics }: JobDetails, counter: string): number {
  return metrics.steps.reduce((sum, { counters }) => sum + (counters[counter]?.total ?? 0), 0);
}

/** GET /jobs/:jobid/vertices/:vertexid/metrics?get= ; `SUBTASK.STEP.COUNTER` is the name of each. */
export function vertexMetricsView(job: JobDetails, vertex: JobVertex, asked: string | null): unknown {
  const all = Array.from({ length: vertex.parallelism }, (_, index) =>
    subtaskCounters(vertex, job.metrics, index).flatMap(({ stepId, counters }) =>
      Object.entries(counters).map(([name, value]) => [`${index}.${stepId}.${name}`, value] as const),
    ),
  );
  return selectMetrics(asked, all.flat());
}

function selectMetrics(asked: string | null, metrics: readonly (readonly [string, number])[]): unknown {
  if (asked === null) return metrics.map(([id]) => ({ id }));
  const wanted = new Set(asked.split(','));
  return metrics.filter(([id]) => wanted.has(id)).map(([id, value]) => ({ id, value: String(value) }));
}
