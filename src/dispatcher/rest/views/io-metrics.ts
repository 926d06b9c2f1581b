/** Flink's metrics of vertices and subtasks, out of the counters of steps. */
import { counterNames } from '../../../core/index.ts';
import type { JobVertex } from '../../../graph/index.ts';
import type { JobMetrics } from '../../../metrics/index.ts';
import { stepIdsOf } from '../../../scheduler/index.ts';
import { json, type JsonSchema } from '../json-schema.ts';

export const ioMetricsSchema: JsonSchema = json.object({
  'read-bytes': json.integer,
  'read-bytes-complete': json.flag,
  'write-bytes': json.integer,
  'write-bytes-complete': json.flag,
  'read-records': json.integer,
  'read-records-complete': json.flag,
  'write-records': json.integer,
  'write-records-complete': json.flag,
  'accumulated-backpressured-time': json.integer,
  'accumulated-idle-time': json.integer,
  'accumulated-busy-time': json.integer,
});

export type Counters = Readonly<Record<string, number>>;

/** The counters of one subtask of a vertex, by step, in the order of its chain. */
export function subtaskCounters(
  vertex: JobVertex,
  metrics: JobMetrics,
  subtaskIndex: number,
): readonly { readonly stepId: string; readonly counters: Counters }[] {
  const byStep = new Map(metrics.steps.map((step) => [step.stepId, step]));
  return vertex.chain
    .flatMap(stepIdsOf)
    .map((stepId) => ({ stepId, counters: byStep.get(stepId)?.subtasks[subtaskIndex] ?? {} }));
}

/** Rows and bytes that came into a subtask and went out of it. */
export function subtaskIo(vertex: JobVertex, metrics: JobMetrics, subtaskIndex: number): Io {
  const steps = subtaskCounters(vertex, metrics, subtaskIndex).map(({ counters }) => counters);
  const { recordsIn, recordsOut, bytesIn, bytesOut, backPressuredTime, idleTime, busyTime } = counterNames;
  const sum = (name: string): number => steps.reduce((total, counters) => total + (counters[name] ?? 0), 0);
  return {
    readRecords: steps.at(0)?.[recordsIn.name] ?? 0,
    writeRecords: steps.at(-1)?.[recordsOut.name] ?? 0,
    readBytes: sum(bytesIn.name),
    writeBytes: sum(bytesOut.name),
    backPressuredMs: sum(backPressuredTime.name),
    idleMs: sum(idleTime.name),
    busyMs: sum(busyTime.name),
    isComplete: steps.some((counters) => Object.keys(counters).length > 0),
  };
}

interface Io {
  readonly readRecords: number;
  readonly writeRecords: number;
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly backPressuredMs: number;
  readonly idleMs: number;
  readonly busyMs: number;
  /** Whether all subtasks have reported. */
  readonly isComplete: boolean;
}

export function vertexIo(vertex: JobVertex, metrics: JobMetrics): Io {
  const subtasks = Array.from({ length: vertex.parallelism }, (_, index) => subtaskIo(vertex, metrics, index));
  const sum = (value: (io: Io) => number): number => subtasks.reduce((total, io) => total + value(io), 0);
  return {
    readRecords: sum((io) => io.readRecords),
    writeRecords: sum((io) => io.writeRecords),
    readBytes: sum((io) => io.readBytes),
    writeBytes: sum((io) => io.writeBytes),
    backPressuredMs: sum((io) => io.backPressuredMs),
    idleMs: sum((io) => io.idleMs),
    busyMs: sum((io) => io.busyMs),
    isComplete: subtasks.every(({ isComplete }) => isComplete),
  };
}

export function ioMetrics(io: Io): unknown {
  const { readRecords, writeRecords, readBytes, writeBytes, isComplete } = io;
  return {
    'read-bytes': readBytes,
    'read-bytes-complete': isComplete,
    'write-bytes': writeBytes,
    'write-bytes-complete': isComplete,
    'read-records': readRecords,
    'read-records-complete': isComplete,
    'write-records': writeRecords,
    'write-records-complete': isComplete,
    'accumulated-backpressured-time': io.backPressuredMs,
    'accumulated-idle-time': io.idleMs,
    'accumulated-busy-time': io.busyMs,
  };
}
