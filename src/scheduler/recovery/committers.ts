import { stepId as toStepId } from '../../core/index.ts';
import type {
  CheckpointMetadata,
  Committable,
  Committer,
  ConnectorCatalog,
  ConnectorContext,
  OlderRun,
  StepId,
} from '../../core/index.ts';
import type { JobGraph, SinkNode, SourceNode } from '../../graph/index.ts';
import { schedulerErrors } from '../errors.ts';
import { inStep } from '../in-step.ts';

interface CommittingStep {
  readonly stepId: StepId;
  readonly connector: string;
  /** Whether the job, as it is now, leaves anything open. */
  readonly isTransactional: boolean;
  readonly create: (() => Committer) | null;
}

/** The committers of a job's steps, for what earlier executions have left. Each is made when it is first needed. */
export class Committers {
  readonly #steps: ReadonlyMap<StepId, CommittingStep>;
  readonly #open = new Map<StepId, Committer>();

  constructor(graph: JobGraph, catalog: ConnectorCatalog, context: (stepId: string) => ConnectorContext) {
    const steps = committingSteps(graph, catalog, context);
    this.#steps = new Map(steps.map((step) => [step.stepId, step]));
  }

  /** Whether any step commits with checkpoints. */
  get areTransactional(): boolean {
    return [...this.#steps.values()].some(({ isTransactional }) => isTransactional);
  }

  /**
   * Commits what a checkpoint holds, of these subtasks or of all. Steps that the job does not have are left out:
   * somebody has allowed that.
   */
  async commit(metadata: CheckpointMetadata, only?: readonly number[]): Promise<void> {
    const handles = metadata.vertices
      .flatMap(({ subtasks }) => subtasks)
      .flatMap(({ committables }) => committables)
      .filter(({ subtaskIndex }) => only?.includes(subtaskIndex) ?? true);
    const byStep = Map.groupBy(handles, ({ stepId }) => stepId);
    await Promise.all([...byStep].map(([stepId, own]) => this.#commitStep(stepId, own)));
  }

  async abortOlder(runs: readonly OlderRun[]): Promise<void> {
    if (runs.length === 0) return;
    const transactional = [...this.#steps.values()].filter((step) => step.isTransactional);
    await Promise.all(
      transactional.map(({ stepId }) => inStep(stepId, async () => this.#committer(stepId)?.abortOlder(runs))),
    );
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map((committer) => committer.close()));
    this.#open.clear();
  }

  async #commitStep(stepId: StepId, handles: readonly Committable[]): Promise<void> {
    const step = this.#steps.get(stepId);
    if (step === undefined) return;
    const committer = this.#committer(stepId);
    if (committer === null) {
      const problem = `the checkpoint holds prepared output, and connector ${step.connector} cannot commit any`;
      throw schedulerErrors.create('MR-JOB-STATE-INCOMPATIBLE', { problems: `${stepId}: ${problem}` });
    }
    await inStep(stepId, () => committer.commit(handles));
  }

  #committer(stepId: StepId): Committer | null {
    const open = this.#open.get(stepId) ?? this.#steps.get(stepId)?.create?.() ?? null;
    if (open !== null) this.#open.set(stepId, open);
    return open;
  }
}

function committingSteps(
  graph: JobGraph,
  catalog: ConnectorCatalog,
  context: (stepId: string) => ConnectorContext,
): readonly CommittingStep[] {
  return graph.vertices.flatMap(({ chain }) =>
    chain.flatMap((node): CommittingStep[] => {
      if (node.kind !== 'source' && node.kind !== 'sink') return [];
      const { stepId, connector } = node.spec;
      const part = node.kind === 'source' ? ofSource(node, catalog, context) : ofSink(node, catalog, context);
      return [{ stepId: toStepId(stepId), connector, ...part }];
    }),
  );
}

type CommittingPart = Pick<CommittingStep, 'isTransactional' | 'create'>;

/** A source writes dead letters. */
function ofSource(
  { spec }: SourceNode,
  { sources }: ConnectorCatalog,
  context: (stepId: string) => ConnectorContext,
): CommittingPart {
  const connector = sources.get(spec.connector);
  const create = connector?.createCommitter?.bind(connector);
  if (create === undefined) return { isTransactional: false, create: null };
  return { isTransactional: spec.errors.kind === 'dead-letter', create: () => create(spec, context(spec.stepId)) };
}

function ofSink(
  { spec }: SinkNode,
  { sinks }: ConnectorCatalog,
  context: (stepId: string) => ConnectorContext,
): CommittingPart {
  const connector = sinks.get(spec.connector);
  const create = connector?.createCommitter?.bind(connector);
  return {
    isTransactional: connector?.isTransactional?.(spec.options) ?? false,
    create: create === undefined ? null : () => create(spec, context(spec.stepId)),
  };
}
