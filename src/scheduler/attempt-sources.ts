import { stepId as toStepId } from '../core/index.ts';
import type {
  CheckpointMetadata,
  ConnectorCatalog,
  ConnectorContext,
  Ports,
  SplitEnumerator,
} from '../core/index.ts';
import type { JobGraph, JobVertex, SourceNode } from '../graph/index.ts';
import { stepFailure } from '../rpc/index.ts';
import type { TaskManagerGateway, TaskReference } from '../rpc/index.ts';
import { schedulerErrors } from './errors.ts';
import { inStep } from './in-step.ts';
import type { Place } from './placement/locality.ts';
import type { ReadSplits } from './placement/placement-report.ts';
import type { SourceDemand } from './placement/placement-request.ts';
import { restoredSplits } from './recovery/restored-tasks.ts';
import { isAtItsEnd } from './recovery/take-over.ts';
import type { AdoptedTask } from './recovery/take-over.ts';
import { SourceCoordinator } from './source-coordinator.ts';

export interface AttemptSourcesOptions {
  readonly graph: JobGraph;
  readonly catalog: ConnectorCatalog;
  readonly ports: Ports;
  /** What the attempt starts from; null for nothing. */
  readonly restored: CheckpointMetadata | null;
  readonly context: (stepId: string) => ConnectorContext;
  /** Calls the TaskManager of a subtask. */
  readonly toSubtask: (
    vertex: JobVertex,
    index: number,
    call: (manager: TaskManagerGateway, task: TaskReference) => Promise<void>,
  ) => void;
  readonly failed: (error: unknown) => void;
}

/** The sources of one attempt: their splits, and which subtask reads which. */
export class AttemptSources {
  readonly #options: AttemptSourcesOptions;
  /** By vertex. */
  readonly #coordinators = new Map<string, SourceCoordinator>();

  constructor(options: AttemptSourcesOptions) {
    this.#options = options;
  }

  /** Opens the enumerator of each, and looks for its first splits. */
  open(): readonly Promise<void>[] {
    return this.#sources().map(({ vertex, source }) =>
      inStep(source.spec.stepId, async () => this.#coordinator(vertex, source).open()),
    );
  }

  /** What they are going to read, as far as it is known before they are placed. */
  get demands(): readonly SourceDemand[] {
    return [...this.#coordinators.values()].map(({ demand }) => demand);
  }

  /** What they read once they are placed: their splits stay with their subtasks over a restart. */
  get decidedDemands(): readonly SourceDemand[] {
    return [...this.#coordinators.values()].map(({ readers }) => ({
      parallelism: readers.length,
      splits: readers.flatMap(({ subtaskIndex, splits }) => splits.map(({ racks }) => ({ racks, subtaskIndex }))),
    }));
  }

  /** Called once after open(): where slices run. */
  place(places: readonly Place[]): void {
    for (const coordinator of this.#coordinators.values()) coordinator.place(places);
  }

  get readers(): readonly ReadSplits[] {
    return [...this.#coordinators.values()].flatMap(({ readers }) => readers);
  }

  /** Instead: the subtasks of an earlier leader's attempt go on. */
  resume(tasks: readonly AdoptedTask[], places: readonly Place[]): void {
    for (const { vertex, source } of this.#sources()) {
      const stepId = toStepId(source.spec.stepId);
      const own = tasks.filter(({ execution }) => execution.vertex.id === vertex.id).map(({ report }) => report);
      // At its end a source has nobody to give splits to.
      if (own.every(isAtItsEnd)) continue;
      const given = own.map((report) => {
        const told = report.sources.find((each) => each.stepId === stepId);
        return { splits: told?.splits ?? [], isComplete: told?.isComplete === true || isAtItsEnd(report) };
      });
      const { stepId: step } = source.spec;
      const resumed = inStep(step, async () => this.#coordinator(vertex, source).resume(given, places));
      resumed.catch((error: unknown) => {
        this.#options.failed(error);
      });
    }
  }

  /** Whether subtasks can be given their splits again: not those of sources that were taken over at their ends. */
  get canRestart(): boolean {
    return this.#sources().every(({ vertex }) => this.#coordinators.has(vertex.id));
  }

  /** The subtasks of these slices start anew, from where `restored` has their splits. */
  restart(slices: readonly number[], places: readonly Place[], restored: CheckpointMetadata | null): void {
    for (const coordinator of this.#coordinators.values()) {
      const splits = restored === null ? null : restoredSplits(restored, toStepId(coordinator.stepId));
      coordinator.restart(slices, places, splits);
    }
  }

  subtaskRunning(vertex: JobVertex, index: number): void {
    this.#coordinators.get(vertex.id)?.subtaskRunning(index);
  }

  /** Resolves when all have closed, whether well or not. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#coordinators.values()].map((coordinator) => coordinator.close()));
  }

  #sources(): readonly { readonly vertex: JobVertex; readonly source: SourceNode }[] {
    return this.#options.graph.vertices.flatMap((vertex) =>
      vertex.chain.flatMap((node) => (node.kind === 'source' ? [{ vertex, source: node }] : [])),
    );
  }

  #coordinator(vertex: JobVertex, { spec }: SourceNode): SourceCoordinator {
    const { restored, ports, toSubtask, failed } = this.#options;
    const stepId = toStepId(spec.stepId);
    const coordinator = new SourceCoordinator(
      spec.stepId,
      vertex.parallelism,
      this.#createEnumerator(spec),
      ports.clock,
      {
        addSplits: (index, splits) => {
          toSubtask(vertex, index, (manager, task) => manager.addSplits({ ...task, stepId, splits }));
        },
        noMoreSplits: (index) => {
          toSubtask(vertex, index, (manager, task) => manager.noMoreSplits({ ...task, stepId }));
        },
        failed: (error) => {
          failed(stepFailure(error, spec.stepId, null));
        },
      },
      restored === null ? null : restoredSplits(restored, stepId),
    );
    this.#coordinators.set(vertex.id, coordinator);
    return coordinator;
  }

  #createEnumerator(spec: SourceNode['spec']): SplitEnumerator {
    const connector = this.#options.catalog.sources.get(spec.connector);
    if (connector === undefined) {
      throw schedulerErrors.create('MR-JOB-NO-CONNECTOR', { kind: 'source', connector: spec.connector });
    }
    return connector.createEnumerator(spec, this.#options.context(spec.stepId));
  }
}
