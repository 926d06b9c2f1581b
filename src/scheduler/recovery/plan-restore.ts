import { subtaskOfKeyGroup } from '../../core/index.ts';
import type { ChannelStateHandle, CheckpointMetadata, StateSchema, StepId } from '../../core/index.ts';
import type { ChainNode, JobGraph } from '../../graph/index.ts';
import { schedulerErrors } from '../errors.ts';
import { stepIdsOf } from '../step-ids.ts';
import { compareStateSchemas } from './compare-state-schemas.ts';
import { channelProblem } from './restored-channels.ts';

export type RestoreVerdict = 'kept' | 'migrated' | 'new' | 'dropped' | 'incompatible';

export interface RestoreStep {
  readonly stepId: StepId;
  readonly verdict: RestoreVerdict;
  /** Whether the checkpoint holds anything of it: entries, splits, or prepared output. */
  readonly hasState: boolean;
  readonly reason: string;
  /** What moves to other subtasks; null where nothing is taken over, or by as many subtasks as before. */
  readonly rescale: Rescale | null;
}

/** State of a step that runs with another parallelism than it was written with. */
export interface Rescale {
  readonly from: number;
  readonly to: number;
  /** Key groups that have entries, and those of them that belong to another subtask now. */
  readonly keyGroups: number;
  readonly movedKeyGroups: number;
  /** They are spread anew over all subtasks. */
  readonly splits: number;
}

export interface RestorePlan {
  /** Those of the job in its order, then those that only the checkpoint knows. */
  readonly steps: readonly RestoreStep[];
  /** Where keyed state was written with another number of key groups. */
  readonly changedMaxParallelism: { readonly written: number; readonly present: number } | null;
}

/** What a checkpoint holds of one step. */
interface WrittenStep {
  parallelism: number;
  readonly schemas: StateSchema[];
  readonly keyGroups: Set<number>;
  splitCount: number;
  committableCount: number;
  /** What was on its way to it. */
  readonly channels: ChannelStateHandle[];
}

/**
 * What becomes of each step's state when a job starts from a checkpoint. `schemas` are those of the job's operators
 * where they are known; where not, the operator judges when its state is restored.
 */
export function planRestore(
  metadata: CheckpointMetadata,
  graph: JobGraph,
  schemas: ReadonlyMap<string, StateSchema> = new Map(),
): RestorePlan {
  const written = writtenSteps(metadata);
  const nodes = new Map(
    graph.vertices.flatMap(({ chain, parallelism }) =>
      chain.flatMap((node) => stepIdsOf(node).map((id) => [id, { node, parallelism }] as const)),
    ),
  );
  const steps = [...nodes].map(([stepId, { node, parallelism }]): RestoreStep => {
    const state = written.get(stepId);
    if (state === undefined) {
      const reason = 'the checkpoint has no such step';
      return { stepId, verdict: 'new', hasState: false, reason, rescale: null };
    }
    const judgement = judge(state, node, schemas.get(stepId), graph);
    const isTakenOver = judgement.verdict !== 'incompatible' && metadata.maxParallelism === graph.maxParallelism;
    const rescale = isTakenOver ? rescaleOf(state, metadata.maxParallelism, parallelism) : null;
    return { stepId, hasState: hasState(state), ...judgement, rescale };
  });
  for (const [stepId, state] of written) {
    if (nodes.has(stepId)) continue;
    const reason = `the job has no such step; it had ${describe(state)}`;
    steps.push({ stepId, verdict: 'dropped', hasState: hasState(state), reason, rescale: null });
  }
  const hasKeyed = [...written.values()].some(
    ({ keyGroups, channels }) => keyGroups.size > 0 || channels.some(({ keys }) => keys !== null),
  );
  const isChanged = hasKeyed && metadata.maxParallelism !== graph.maxParallelism;
  const changed = { written: metadata.maxParallelism, present: graph.maxParallelism };
  return { steps, changedMaxParallelism: isChanged ? changed : null };
}

/** Throws what forbids to start by this plan; returns the steps whose state is dropped. */
export function checkRestorePlan(plan: RestorePlan, allowDroppedState: boolean): readonly StepId[] {
  if (plan.changedMaxParallelism !== null) {
    throw schedulerErrors.create('MR-JOB-MAX-PARALLELISM', { ...plan.changedMaxParallelism });
  }
  const incompatible = plan.steps.filter(({ verdict }) => verdict === 'incompatible');
  if (incompatible.length > 0) {
    const problems = incompatible.map(({ stepId, reason }) => `${stepId}: ${reason}`).join('; ');
    throw schedulerErrors.create('MR-JOB-STATE-INCOMPATIBLE', { problems });
  }
  const dropped = plan.steps.filter((step) => step.verdict === 'dropped' && step.hasState);
  if (dropped.length > 0 && !allowDroppedState) {
    throw schedulerErrors.create('MR-JOB-STATE-DROPPED', { steps: dropped.map(({ stepId }) => stepId).join(', ') });
  }
  return dropped.map(({ stepId }) => stepId);
}

function writtenSteps(metadata: CheckpointMetadata): ReadonlyMap<StepId, WrittenStep> {
  const steps = new Map<StepId, WrittenStep>();
  const step = (id: StepId): WrittenStep => {
    const counts = { splitCount: 0, committableCount: 0, parallelism: 0 };
    const nothing = { schemas: [], keyGroups: new Set<number>(), channels: [], ...counts };
    const known: WrittenStep = steps.get(id) ?? nothing;
    steps.set(id, known);
    return known;
  };
  for (const { stepIds, subtasks, parallelism } of metadata.vertices) {
    for (const id of stepIds) step(id).parallelism = parallelism;
    for (const { splits, operators, channels = [], committables } of subtasks) {
      for (const channel of channels) step(channel.stepId).channels.push(channel);
      const [head] = stepIds;
      if (head !== undefined) step(head).splitCount += splits.length;
      for (const { stepId, schema, chunks } of operators) {
        if (chunks.length === 0) continue;
        const found = step(stepId);
        const text = JSON.stringify(schema);
        if (!found.schemas.some((known) => JSON.stringify(known) === text)) found.schemas.push(schema);
        for (let at = 0; at < chunks.length; at += 3) found.keyGroups.add(chunks[at] ?? 0);
      }
      // Restoring a savepoint commits nothing: its output was committed before it was complete.
      if (metadata.kind === 'savepoint') continue;
      for (const { stepId } of committables) step(stepId).committableCount++;
    }
  }
  return steps;
}

function hasState({ keyGroups, splitCount, committableCount, channels }: WrittenStep): boolean {
  return keyGroups.size > 0 || splitCount > 0 || committableCount > 0 || channels.length > 0;
}

function rescaleOf(
  { keyGroups, splitCount: splits, parallelism: from }: WrittenStep,
  maxParallelism: number,
  to: number,
): Rescale | null {
  if (from === to || (keyGroups.size === 0 && splits === 0)) return null;
  const subtaskOf = (keyGroup: number, count: number): number => subtaskOfKeyGroup(keyGroup, maxParallelism, count);
  const moved = [...keyGroups].filter((keyGroup) => subtaskOf(keyGroup, from) !== subtaskOf(keyGroup, to));
  return { from, to, keyGroups: keyGroups.size, movedKeyGroups: moved.length, splits };
}

function describe({ keyGroups, splitCount, committableCount, channels }: WrittenStep): string {
  const batchCount = channels.reduce((sum, { batches }) => sum + batches.length / 2, 0);
  const parts = [
    ...(keyGroups.size > 0 ? [`entries in ${keyGroups.size} key groups`] : []),
    ...(splitCount > 0 ? [`positions of ${splitCount} splits`] : []),
    ...(committableCount > 0 ? [`${committableCount} prepared outputs`] : []),
    ...(batchCount > 0 ? [`${batchCount} batches on their way to it`] : []),
  ];
  return parts.length === 0 ? 'no state' : parts.join(', ');
}

function judge(
  state: WrittenStep,
  node: ChainNode,
  schema: StateSchema | undefined,
  graph: JobGraph,
): { readonly verdict: RestoreVerdict; readonly reason: string } {
  const { schemas, splitCount, committableCount } = state;
  const incompatible = (reason: string) => ({ verdict: 'incompatible' as const, reason });
  if (splitCount > 0 && node.kind !== 'source') return incompatible('it was a source, and is none now');
  if (committableCount > 0 && node.kind !== 'sink' && node.kind !== 'source') {
    return incompatible('it had prepared output, and is no sink now');
  }
  for (const channel of state.channels) {
    const problem = channelProblem(channel, node, graph);
    if (problem !== null) return incompatible(problem);
  }
  const [first] = schemas;
  if (first === undefined) return { verdict: 'kept', reason: describe(state) };
  if (!canKeepState(node)) return incompatible(`it had state of ${first.kind}, and keeps none now`);
  if (schema === undefined) return { verdict: 'kept', reason: describe(state) };
  const comparisons = schemas.map((written) => compareStateSchemas(written, schema));
  const worst =
    comparisons.find(({ kind }) => kind === 'incompatible') ?? comparisons.find(({ kind }) => kind === 'migrated');
  if (worst === undefined || worst.kind === 'kept') return { verdict: 'kept', reason: describe(state) };
  return { verdict: worst.kind, reason: worst.reason };
}

function canKeepState(node: ChainNode): boolean {
  return node.kind !== 'source' && node.kind !== 'sink' && node.kind !== 'transform' && node.kind !== 'union';
}
