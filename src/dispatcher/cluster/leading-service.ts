import { jobId as toJobId } from '../../core/index.ts';
import type { ConnectorCatalog, JobId, Ports, TaskManagerId } from '../../core/index.ts';
import type { CompiledJob, JobGraph } from '../../graph/index.ts';
import type { ClusterRecords, DrainMark } from '../../ha/index.ts';
import { schedulerErrors, slotsNeeded } from '../../scheduler/index.ts';
import type {
  ClusterService,
  JobDetails,
  JobPlacement,
  JobSummary,
  MovedTasks,
  Savepoint,
  SubmitJob,
  TaskManagerDetails,
} from '../cluster-service.ts';
import { clusterErrors } from '../errors.ts';
import { jobFileProblems } from '../job-file-problems.ts';
import type { KnownTaskManager } from '../slots/known-task-manager.ts';
import type { ResourceManager } from '../slots/resource-manager.ts';
import type { CheckpointPlaces } from './checkpoint-places.ts';
import type { ClusterJobs, EndedJob, LedJob } from './cluster-jobs.ts';
import { readSource, storedSource, type JobSource } from './job-source.ts';
import { detailsOfEnded, detailsOfLed, detailsOfTaskManager, summaryOfEnded, summaryOfLed } from './cluster-views.ts';
import { placementOf, PlacementPreviews } from './job-placement.ts';
import { rebalanceJob } from './rebalance-job.ts';

/** Compiles a job file; `parallelism` goes before what the file says, null leaves that. Rejects for nothing in it. */
export type CompileSource = (
  source: JobSource,
  parallelism: number | null,
) => Promise<Pick<CompiledJob, 'problems' | 'jobGraph'>>;

export interface LeadingServiceOptions {
  readonly ports: Ports;
  readonly loadCatalog: () => Promise<ConnectorCatalog>;
  readonly compile: CompileSource;
  readonly jobs: ClusterJobs;
  readonly slots: ResourceManager;
  readonly records: ClusterRecords;
  readonly places: CheckpointPlaces;
}

const JOB_ID_BYTES = 16;

/** What a leader does for those who ask. */
export class LeadingService implements ClusterService {
  readonly #options: LeadingServiceOptions;
  readonly #previews: PlacementPreviews;

  constructor(options: LeadingServiceOptions) {
    this.#options = options;
    this.#previews = new PlacementPreviews(options);
  }

  async submit({ text, variables, jobId, start, allowDroppedState, code }: SubmitJob): Promise<JobId> {
    const { jobs, ports } = this.#options;
    const id = jobId ?? toJobId(ports.randomness.hex(JOB_ID_BYTES));
    if (jobs.find(id) !== null) return id;
    const source: JobSource = { text, variables, ...(code === undefined ? {} : { code }) };
    await jobs.submit({
      jobId: id,
      graph: await this.#firstGraph(id, source),
      start: start ?? { kind: 'resume' },
      allowDroppedState: allowDroppedState ?? false,
      source: storedSource(source),
      ...(code === undefined ? {} : { code: code.bundle }),
    });
    return id;
  }

  jobs(): readonly JobSummary[] {
    const { led, ended } = this.#options.jobs;
    const all = [...ended.map(summaryOfEnded), ...led.map(summaryOfLed)];
    return all.sort((a, b) => b.startedAtMs - a.startedAtMs);
  }

  job(jobId: JobId): JobDetails {
    const job = this.#job(jobId);
    return 'handle' in job ? detailsOfLed(job, this.#options.slots) : detailsOfEnded(job);
  }

  async cancel(jobId: JobId): Promise<void> {
    this.#job(jobId);
    await this.#options.jobs.cancel(jobId);
  }

  async savepoint(
    jobId: JobId,
    { target, stopsSources, drains }: Parameters<ClusterService['savepoint']>[1],
  ): Promise<Savepoint> {
    const { jobs, places, slots } = this.#options;
    const job = this.#led(jobId);
    const checkpoints = job?.accepted.storage?.storageConfig;
    if (job === null || checkpoints === undefined) {
      const reason = job === null ? 'the job has ended' : 'the job takes no checkpoints';
      throw schedulerErrors.create('MR-JOB-SAVEPOINT-FAILED', { reason });
    }
    const missing = slots.waitingFor(jobId);
    if (missing !== null) {
      throw schedulerErrors.create('MR-JOB-SAVEPOINT-FAILED', { reason: `the job waits for ${missing}` });
    }
    const { config, location } = places.savepoint(checkpoints, job.handle.name, target);
    const request = { target: config, stopsSources, ...(drains === undefined ? {} : { drains }) };
    return { location, file: await jobs.savepoint(jobId, request) };
  }

  /** The graph of a job's file with another parallelism. */
  async compileAnew({ submission, accepted }: LedJob, parallelism: number): Promise<JobGraph> {
    const { jobId } = accepted;
    const { source } = submission;
    if (source !== undefined) return this.#compile(await this.#source(source, jobId), parallelism);
    throw clusterErrors.create('MR-CLUSTER-NOT-RESCALABLE', { job: jobId, reason: 'its job file is not known' });
  }

  async rescale(jobId: JobId, parallelism: number): Promise<void> {
    const { jobs, slots } = this.#options;
    const job = this.#led(jobId);
    const refuse = (reason: string) => clusterErrors.create('MR-CLUSTER-NOT-RESCALABLE', { job: jobId, reason });
    if (job === null) throw refuse('it has ended');
    const { accepted } = job;
    if (accepted.storage === null) throw refuse('it takes no checkpoints');
    if (accepted.graph.rescale !== undefined) throw refuse('it takes as many slots as there are (`rescale: reactive`)');
    const graph = await this.compileAnew(job, parallelism);
    const needed = slotsNeeded(graph);
    if (needed > slots.totalCount) throw refuse(`it would need ${needed} slots of ${slots.totalCount}`);
    const missing = slots.waitingFor(jobId);
    if (missing !== null) throw refuse(`it waits for ${missing}`);
    const restarted = await jobs.restart(jobId, { graph, stop: 'checkpoint' });
    await restarted.running();
  }

  placement(jobId: JobId): JobPlacement {
    const job = this.#job(jobId);
    if ('handle' in job && job.endedAtMs === null) return placementOf(job, this.#options.slots);
    throw clusterErrors.create('MR-CLUSTER-NOT-FOUND', { what: 'running job', id: jobId });
  }

  async previewPlacement({ text, variables, code }: Parameters<ClusterService['previewPlacement']>[0]) {
    const source: JobSource = { text, variables, ...(code === undefined ? {} : { code }) };
    return this.#previews.of(await this.#compile(source, null));
  }

  async rebalance(jobId: JobId): Promise<readonly MovedTasks[]> {
    const job = this.#led(jobId);
    if (job === null) throw clusterErrors.create('MR-CLUSTER-NOT-REBALANCED', { job: jobId, reason: 'it has ended' });
    return rebalanceJob(this.#options, job);
  }

  taskManagers(): readonly TaskManagerDetails[] {
    const { slots, ports } = this.#options;
    return slots.taskManagers.map((each) => detailsOfTaskManager(each, slots, ports.clock.nowMs()));
  }

  async drain(taskManagerId: TaskManagerId, reason: string, expiresAtMs: number | null): Promise<void> {
    const { records, slots } = this.#options;
    this.#taskManager(taskManagerId);
    const mark: DrainMark = { version: 1, taskManagerId, reason, expiresAtMs };
    await records.markDrain(mark);
    slots.drain(mark);
  }

  async undrain(taskManagerId: TaskManagerId): Promise<void> {
    const { records, slots } = this.#options;
    if (slots.drainOf(taskManagerId) === null) this.#taskManager(taskManagerId);
    await records.clearDrain(taskManagerId);
    slots.undrain(taskManagerId);
  }

  /** One that takes as many slots as there are begins with those that are free. */
  async #firstGraph(jobId: JobId, source: JobSource): Promise<JobGraph> {
    const graph = await this.#compile(source, null);
    const { rescale } = graph;
    if (rescale === undefined) return graph;
    const { free, isWaitedFor } = this.#options.slots.withinReach(jobId);
    const most = Math.min(isWaitedFor ? 0 : free.length, rescale.maxParallelism);
    return this.#compile(source, Math.max(most, rescale.minParallelism));
  }

  #source(stored: string, jobId: JobId): Promise<JobSource> {
    return readSource(stored, () => this.#options.records.code(jobId));
  }

  async #compile(source: JobSource, parallelism: number | null): Promise<JobGraph> {
    const { problems, jobGraph } = await this.#options.compile(source, parallelism);
    if (jobGraph !== null) return jobGraph;
    const { formatProblem } = await import('../../graph/index.ts');
    throw jobFileProblems(problems, problems.map(formatProblem));
  }

  #job(jobId: JobId): LedJob | EndedJob {
    const job = this.#options.jobs.find(jobId);
    if (job === null) throw clusterErrors.create('MR-CLUSTER-NOT-FOUND', { what: 'job', id: jobId });
    return job;
  }

  /** Null for one that has ended. */
  #led(jobId: JobId): LedJob | null {
    const job = this.#job(jobId);
    return 'handle' in job && job.endedAtMs === null ? job : null;
  }

  #taskManager(id: TaskManagerId): KnownTaskManager {
    const found = this.#options.slots.taskManagers.find((each) => each.id === id);
    if (found === undefined) throw clusterErrors.create('MR-CLUSTER-NOT-FOUND', { what: 'TaskManager', id });
    return found;
  }
}
