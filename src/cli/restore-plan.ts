/** What becomes of the state in a checkpoint when a job starts from it, found out without starting anything. */
import { resolve } from 'node:path';

import type { CheckpointMetadata, CheckpointStorage, MillraceError, Ports, StateFile } from '../core/index.ts';
import { isMillraceError } from '../core/index.ts';
import type { JobGraph } from '../graph/index.ts';
import { readEmbeddedRecord } from '../ha/index.ts';
import { checkRestorePlan, planRestore, type Rescale, type RestorePlan } from '../scheduler/index.ts';
import { openCheckpointStorage } from '../state/index.ts';
import { findPlace } from './checkpoint-place.ts';
import { cliErrors } from './errors.ts';
import { loadCode } from './load-code.ts';
import { errorDocument } from './report-error.ts';
import { allStateSchemas } from './state-schemas.ts';
import { textTable } from './text-table.ts';

export interface PlanRequest {
  readonly graph: JobGraph;
  /** Null for the last checkpoint of the job itself. */
  readonly from: string | null;
  readonly dataFolder: string;
  readonly allowDroppedState: boolean;
}

export interface PlannedRestore {
  readonly jobName: string;
  readonly metadata: CheckpointMetadata;
  readonly file: StateFile;
  readonly plan: RestorePlan;
  /** What forbids to start; null where the job can. */
  readonly obstacle: MillraceError | null;
}

/** Rejects where there is no checkpoint, or where one of its files that the job needs is damaged. */
export async function planFor(ports: Ports, request: PlanRequest): Promise<PlannedRestore> {
  const { graph, from, allowDroppedState } = request;
  const directory = resolve(request.dataFolder);
  const { dataFolder } = request;
  const place = { ports, dataFolder, jobName: graph.name, place: graph.checkpoint?.storage };
  const storage = openCheckpointStorage(await findPlace(place), ports);
  const file = from === null ? await lastCheckpoint(ports, directory, request) : await storage.findMetadata(from);
  const metadata = await storage.readMetadata(file);
  const plan = planRestore(metadata, graph, await allStateSchemas(graph, (reference) => loadCode(reference)));
  await checkFiles(storage, metadata, plan);
  return { jobName: graph.name, metadata, file, plan, obstacle: obstacleOf(plan, allowDroppedState) };
}

async function lastCheckpoint(ports: Ports, directory: string, { graph, dataFolder }: PlanRequest): Promise<StateFile> {
  const record = await readEmbeddedRecord({ directory, ports }, graph.name);
  const last = record?.checkpoints.at(-1);
  const none = (reason: string): Error => cliErrors.create('MR-CLI-NO-CHECKPOINT', { job: graph.name, reason });
  if (record === null || last === undefined) throw none(`there is none in ${dataFolder}`);
  if (record.isFinished) throw none(`it has finished, with checkpoint ${last.checkpointId}`);
  return last.metadata;
}

/** What a start would find out as well: that each file is there, and what it was. */
async function checkFiles(storage: CheckpointStorage, metadata: CheckpointMetadata, plan: RestorePlan): Promise<void> {
  const taken = new Set(
    plan.steps.filter(({ verdict }) => verdict === 'kept' || verdict === 'migrated').map(({ stepId }) => stepId),
  );
  const files = new Map<string, StateFile>();
  for (const { subtasks } of metadata.vertices) {
    for (const { stepId, file, chunks } of subtasks.flatMap(({ operators }) => operators)) {
      if (taken.has(stepId) && chunks.length > 0) files.set(file.name, file);
    }
  }
  for (const file of files.values()) await (await storage.openFile(file)).close();
}

function obstacleOf(plan: RestorePlan, allowDroppedState: boolean): MillraceError | null {
  try {
    checkRestorePlan(plan, allowDroppedState);
    return null;
  } catch (error) {
    if (isMillraceError(error)) return error;
    throw error;
  }
}

/** The plan for people. */
export function describePlan({ jobName, metadata, plan, obstacle }: PlannedRestore): string {
  const { kind, checkpointId, completedAtMs, jobName: writer } = metadata;
  const of = writer === jobName ? '' : ` of job ${writer}`;
  const when = new Date(completedAtMs).toISOString();
  const rows = plan.steps.map(({ stepId, verdict, reason, rescale }) => [
    stepId,
    verdict,
    rescale === null ? reason : `${reason}; ${describeRescale(rescale)}`,
  ]);
  return [
    `${jobName} from ${kind} ${checkpointId}${of}, completed ${when}`,
    '',
    ...textTable([['step', 'state', 'because'], ...rows]),
    '',
    obstacle === null ? 'the job can start from it' : `the job cannot start from it: ${obstacle.message}`,
  ].join('\n');
}

function describeRescale({ from, to, keyGroups, movedKeyGroups, splits }: Rescale): string {
  const parts = [
    ...(keyGroups > 0 ? [`${movedKeyGroups} of ${keyGroups} key groups move`] : []),
    ...(splits > 0 ? ['splits are spread anew'] : []),
  ];
  return `${from} → ${to} subtasks: ${parts.join(', ')}`;
}

/** The plan for programs. */
export function planDocument({ jobName, metadata, file, plan, obstacle }: PlannedRestore): unknown {
  const { kind, checkpointId: id, completedAtMs, jobName: writer, maxParallelism } = metadata;
  return {
    job: jobName,
    checkpoint: {
      kind,
      id,
      job: writer,
      completedAt: new Date(completedAtMs).toISOString(),
      maxParallelism,
      metadata: file.name,
    },
    canStart: obstacle === null,
    error: obstacle === null ? null : errorDocument(obstacle),
    steps: plan.steps.map(({ stepId, verdict, hasState, reason, rescale }) => ({
      step: stepId,
      verdict,
      hasState,
      reason,
      rescale,
    })),
  };
}
