/** What becomes of a job's record (src/ha/job-store.ts) at each step of docs/design/011. Pure. */
import { addTombstones, dueTombstones } from '../../core/index.ts';
import type { CheckpointPointer, OlderRun } from '../../core/index.ts';
import type { JobRecord } from '../../ha/index.ts';
import type { RunShares } from './run-shares.ts';

/** Ids are reserved so many ahead. */
const ID_BLOCK = 10;
/** Between the time when nothing names a file any more and its removal: whoever has just opened it can read it. */
const GRACE_MS = 60_000;

export function newRecord(jobName: string, clusterId: string, maxParallelism: number): JobRecord {
  return {
    version: 1,
    jobName,
    clusterId,
    generation: 0,
    runs: [],
    nextCheckpointId: 1,
    checkpoints: [],
    maxParallelism,
    isFinished: false,
    tombstones: [],
  };
}

/** The next execution. Nothing is left of `gone`. */
export function withNextRun(
  record: JobRecord,
  run: Omit<OlderRun, 'generation'>,
  firstFreeId: number,
  gone: RunShares,
): JobRecord {
  const generation = record.generation + 1;
  const { runs } = withoutRuns(record, gone);
  return withReservedIds({ ...record, generation, runs: [...runs, { generation, ...run }] }, firstFreeId);
}

/** A block of ids, of which the first is at least `firstFreeId`, is the present execution's. */
export function withReservedIds(record: JobRecord, firstFreeId: number): JobRecord {
  return { ...record, nextCheckpointId: Math.max(record.nextCheckpointId, firstFreeId + ID_BLOCK) };
}

/** What the job goes on from; whatever it had before is forgotten, but for ids and runs. */
export function withOrigin(record: JobRecord, origin: CheckpointPointer | null, maxParallelism: number): JobRecord {
  const firstFreeId = (origin?.checkpointId ?? 0) + 1;
  const checkpoints = origin === null ? [] : [origin];
  return { ...withReservedIds(record, firstFreeId), checkpoints, maxParallelism, isFinished: false };
}

export function withoutRuns(record: JobRecord, gone: RunShares): JobRecord {
  const runs = record.runs.flatMap((run) => gone.rest(run) ?? []);
  const isSame = runs.length === record.runs.length && runs.every((run, index) => run === record.runs[index]);
  return isSame ? record : { ...record, runs };
}

export interface PointerMove {
  readonly pointer: CheckpointPointer;
  readonly maxParallelism: number;
  /** Completed checkpoints to keep, this one included. */
  readonly retained: number;
  /** All files of each checkpoint of the record and of the new one, by id; unknown where one is missing. */
  readonly files: ReadonlyMap<number, readonly string[]>;
  /** Files that aborted checkpoints have left. */
  readonly discarded: Iterable<string>;
  /** Files that later checkpoints are going to name. */
  readonly needed: Iterable<string>;
  readonly nowMs: number;
}

/** The pointer moves; checkpoints that are not retained any more become tombstones. */
export function withPointer(record: JobRecord, move: PointerMove): JobRecord {
  const { pointer, retained, files, nowMs } = move;
  const newest = record.checkpoints.at(-1)?.checkpointId ?? 0;
  if (pointer.checkpointId <= newest) throw new Error(`checkpoint ${pointer.checkpointId} is not after ${newest}`);
  const all = [...record.checkpoints, pointer];
  const checkpoints = all.slice(-Math.max(1, retained));
  const dropped = all.filter((each) => !checkpoints.includes(each));
  // A savepoint belongs to whoever made it.
  const freed = dropped
    .filter(({ kind }) => kind === 'checkpoint')
    .flatMap(({ checkpointId, metadata }) => files.get(checkpointId) ?? [metadata.name]);
  const named = namedFiles(all.filter((each) => checkpoints.includes(each) || each.kind === 'savepoint'), files);
  const kept = new Set([...named, ...move.needed]);
  const tombstones = addTombstones(record.tombstones, [...freed, ...move.discarded], kept, nowMs + GRACE_MS);
  const next = { ...record, checkpoints, tombstones, maxParallelism: move.maxParallelism, isFinished: false };
  return withReservedIds(next, pointer.checkpointId + 1);
}

/** Files that nothing retained names go after the grace. */
export function withTombstones(
  record: JobRecord,
  names: readonly string[],
  named: ReadonlySet<string>,
  nowMs: number,
): JobRecord {
  const tombstones = addTombstones(record.tombstones, names, named, nowMs + GRACE_MS);
  return tombstones.length === record.tombstones.length ? record : { ...record, tombstones };
}

/** Without those of these files that were removed, and those that something names again. */
export function withoutTombstones(
  record: JobRecord,
  removed: ReadonlySet<string>,
  named: ReadonlySet<string>,
): JobRecord {
  const tombstones = record.tombstones.filter(({ name }) => !removed.has(name) && !named.has(name));
  return tombstones.length === record.tombstones.length ? record : { ...record, tombstones };
}

/** Files to remove now. */
export function dueFiles(record: JobRecord, named: ReadonlySet<string>, nowMs: number): readonly string[] {
  return dueTombstones(record.tombstones, named, nowMs).remove;
}

/** All files that these checkpoints need. */
export function namedFiles(
  checkpoints: readonly CheckpointPointer[],
  files: ReadonlyMap<number, readonly string[]>,
): ReadonlySet<string> {
  return new Set(
    checkpoints.flatMap(({ checkpointId, metadata }) => [metadata.name, ...(files.get(checkpointId) ?? [])]),
  );
}
