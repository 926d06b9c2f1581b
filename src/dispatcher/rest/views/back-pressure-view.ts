import { counterNames } from '../../../core/index.ts';
import type { JobVertex } from '../../../graph/index.ts';
import { isTerminalJob } from '../../../rpc/index.ts';
import type { JobDetails } from '../../cluster-service.ts';
import { json, type JsonSchema } from '../json-schema.ts';
import { subtaskCounters } from './io-metrics.ts';

type Level = 'ok' | 'low' | 'high';

const levelSchema = json.oneOf('ok', 'low', 'high');

/** Flink's, with both spellings that it has. */
export const backPressureSchema: JsonSchema = json.object(
  { status: json.oneOf('ok', 'deprecated') },
  {
    'backpressure-level': levelSchema,
    backpressureLevel: levelSchema,
    'end-timestamp': json.time,
    subtasks: json.list(
      json.object({
        subtask: json.integer,
        'backpressure-level': levelSchema,
        backpressureLevel: levelSchema,
        ratio: json.number,
        idleRatio: json.number,
        busyRatio: json.number,
      }),
    ),
  },
);

const MS_PER_SECOND = 1000;
/** Of its time that a subtask may wait for those behind it: as Flink. */
const MOST_OK = 0.1;
const MOST_LOW = 0.5;

/** GET /jobs/:jobid/vertices/:vertexid/backpressure; `deprecated` is Flink's word for: not known. */
export function backPressureView(job: JobDetails, vertex: JobVertex): unknown {
  const subtasks = isTerminalJob(job.state) ? [] : ratiosOf(job, vertex);
  if (subtasks.length === 0) return { status: 'deprecated' };
  const level = levelOf(Math.max(...subtasks.map(({ ratio }) => ratio)));
  return {
    status: 'ok',
    'backpressure-level': level,
    backpressureLevel: level,
    'end-timestamp': job.metrics.atMs,
    subtasks: subtasks.map((each) => {
      const own = levelOf(each.ratio);
      return { ...each, 'backpressure-level': own, backpressureLevel: own };
    }),
  };
}

/** The vertices of a job with more back pressure than `ok`. */
export function heldBack(job: JobDetails): readonly HeldBack[] {
  if (isTerminalJob(job.state)) return [];
  return job.graph.vertices.flatMap((vertex) => {
    const ratio = Math.max(0, ...ratiosOf(job, vertex).map((each) => each.ratio));
    return levelOf(ratio) === 'ok' ? [] : [{ vertex: vertex.id, name: vertex.name, ratio }];
  });
}

interface HeldBack {
  readonly vertex: string;
  readonly name: string;
  /** Of its subtask that waits most. */
  readonly ratio: number;
}

/** Of those that have told: the others have not run yet. */
function ratiosOf(job: JobDetails, vertex: JobVertex) {
  const { backPressuredRate, idleRate, busyRate } = counterNames;
  return Array.from({ length: vertex.parallelism }, (_, subtask) => {
    const steps = subtaskCounters(vertex, job.metrics, subtask);
    const told = steps.find(({ counters }) => Object.hasOwn(counters, backPressuredRate.name))?.counters;
    const ratioOf = ({ name }: { readonly name: string }): number => (told?.[name] ?? 0) / MS_PER_SECOND;
    const ratios = { ratio: ratioOf(backPressuredRate), idleRatio: ratioOf(idleRate), busyRatio: ratioOf(busyRate) };
    return told === undefined ? [] : [{ subtask, ...ratios }];
  }).flat();
}

function levelOf(ratio: number): Level {
  if (ratio <= MOST_OK) return 'ok';
  return ratio <= MOST_LOW ? 'low' : 'high';
}
