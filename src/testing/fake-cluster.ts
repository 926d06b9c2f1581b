/** A cluster that runs nothing, for tests of what stands on ClusterService: it remembers what it was told. */
import {
  attemptId,
  counterNames,
  jobId as toJobId,
  slotId,
  splitId,
  subtaskId,
  taskManagerId as toTaskManagerId,
} from '../core/index.ts';
import type { JobId, TaskManagerId } from '../core/index.ts';
import { clusterErrors, jobFileProblems } from '../dispatcher/index.ts';
import type {
  ClusterService,
  JobDetails,
  JobFileProblems,
  JobPlacement,
  JobSummary,
  MovedTasks,
  SubmitJob,
  TaskManagerDetails,
} from '../dispatcher/index.ts';
import { formatProblem } from '../graph/index.ts';
import type { JobGraph } from '../graph/index.ts';
import type { TaskState } from '../rpc/index.ts';
import { operatorNode, sinkNode, sourceNode, testGraph } from './test-graph.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const SOURCE = 'a'.repeat(32);
const SINK = 'b'.repeat(32);

/** Per second. */
function timeUse(backPressuredMs: number, idleMs: number, busyMs: number): Readonly<Record<string, number>> {
  const { backPressuredRate, idleRate, busyRate } = counterNames;
  return { [backPressuredRate.name]: backPressuredMs, [idleRate.name]: idleMs, [busyRate.name]: busyMs };
}

/** A source with a secret in its options, and a sink; ids of vertices as they are in earnest. */
function fakeGraph(name: string): JobGraph {
  const graph = testGraph(name, [
    { name: SOURCE, parallelism: 2, chain: [sourceNode('in', { rows: 10, unlisted: 'hunter2' })] },
    {
      name: SINK,
      parallelism: 1,
      chain: [operatorNode('count', 'pass'), sinkNode('out')],
      from: [[SOURCE, { kind: 'rebalance' }]],
    },
  ]);
  return {
    ...graph,
    checkpoint: {
      intervalMs: 1000,
      mode: 'exactly-once',
      timeoutMs: 60_000,
      minPauseMs: 0,
      tolerableFailures: 2,
      retained: 1,
      storage: { location: '/checkpoints', s3: { accessKeyId: 'id', secretAccessKey: 'hunter2' } },
    },
  };
}

const STARTED_AT_MS = 1_000_000;
const FAILURE = clusterErrors.create('MR-CLUSTER-NOT-FOUND', { what: 'x', id: '<y>' });

const PLACEMENT: JobPlacement = {
  ...{ jobId: null, name: 'job', needed: 1, free: 1, waitingFor: null, crossRackBytes: null },
  report: {
    slices: [
      {
        ...{ subtaskIndex: 0, taskManagerId: toTaskManagerId('tm-1'), slotId: slotId('slot-0') },
        ...{ rack: 'a', host: 'host-1', because: '1 of its 2 splits are near' },
      },
    ],
    splits: [
      {
        ...{ stepId: 'in', splitId: splitId('orders-0'), racks: ['a'], subtaskIndex: 0 },
        ...{ locality: 'rack-local', because: 'it can be read within rack a' },
      },
      {
        ...{ stepId: 'in', splitId: splitId('orders-1'), racks: ['b'], subtaskIndex: 0 },
        ...{ locality: 'cross-rack', because: 'no slot was free in b' },
      },
    ],
    edges: [
      {
        ...{ from: 'in', to: 'out', exchange: 'rebalance', crossRackShare: 0.25 },
        channels: { 'process-local': 3, 'node-local': 0, 'rack-local': 0, 'cross-rack': 1, indifferent: 0 },
      },
    ],
    totals: { 'node-local': 0, 'rack-local': 1, 'cross-rack': 1, indifferent: 0 },
    moved: 0,
  },
};

export class FakeCluster implements ClusterService {
  /** What was asked for, in order, such as `cancel JOB`. */
  readonly told: string[] = [];
  readonly submissions: SubmitJob[] = [];
  readonly #jobs = new Map<JobId, Mutable<JobDetails>>();
  readonly #taskManagers = new Map<TaskManagerId, Mutable<TaskManagerDetails>>();
  /** Awaited before a savepoint or a rescaling ends; may reject. */
  beforeEnd: () => Promise<void> = () => Promise.resolve();

  submit(job: SubmitJob): Promise<JobId> {
    const line = /^(.*)broken/m.exec(job.text);
    if (line !== null) return Promise.reject(refusal(job.text, line.index));
    const jobId = job.jobId ?? toJobId(String(this.#jobs.size + 1).padStart(32, '0'));
    this.submissions.push(job);
    if (!this.#jobs.has(jobId)) this.#add(jobId, /^name: (.*)$/m.exec(job.text)?.[1] ?? 'job');
    return Promise.resolve(jobId);
  }

  #add(jobId: JobId, name: string): void {
    const graph = fakeGraph(name);
    this.#jobs.set(jobId, {
      jobId,
      name,
      state: 'RUNNING',
      startedAtMs: STARTED_AT_MS,
      endedAtMs: null,
      tasks: new Map<TaskState, number>([['RUNNING', 3]]),
      graph,
      executions: graph.vertices.flatMap(({ id, parallelism }) =>
        Array.from({ length: parallelism }, (_, index) => ({
          attemptId: attemptId(subtaskId(id, index), 4),
          vertexId: id,
          subtaskIndex: index,
          state: 'RUNNING' as const,
          taskManagerId: toTaskManagerId('tm-1'),
          slotId: slotId(`slot-${index}`),
        })),
      ),
      metrics: {
        atMs: STARTED_AT_MS,
        steps: [
          {
            stepId: 'in',
            counters: { numRecordsIn: { total: 12, perSecond: 3 } },
            subtasks: [
              { numRecordsIn: 5, numRecordsOut: 4, numBytesIn: 100, ...timeUse(750, 50, 200) },
              { numRecordsIn: 7, numRecordsOut: 6, ...timeUse(100, 900, 0) },
            ],
          },
        ],
      },
      checkpoints: {
        completedCount: 7,
        abortedCount: 1,
        recent: [checkpoint(9, 'pending'), checkpoint(8, 'aborted'), checkpoint(7, 'completed')],
      },
      origin: {
        kind: 'restored',
        checkpointId: 3,
        completedAtMs: STARTED_AT_MS - 1,
        isSavepoint: true,
        droppedSteps: [],
      },
      restarts: 1,
      failures: [{ atMs: STARTED_AT_MS + 5, error: FAILURE }],
      waitingFor: null,
    });
  }

  /** Lets a job end. */
  end(jobId: JobId, state: 'FINISHED' | 'FAILED' | 'CANCELED'): void {
    const job = this.#job(jobId);
    job.state = state;
    job.endedAtMs = STARTED_AT_MS + 1000;
  }

  jobs(): readonly JobSummary[] {
    return [...this.#jobs.values()].reverse();
  }

  job(jobId: JobId): JobDetails {
    return this.#job(jobId);
  }

  #job(jobId: JobId): Mutable<JobDetails> {
    const job = this.#jobs.get(jobId);
    if (job === undefined) throw clusterErrors.create('MR-CLUSTER-NOT-FOUND', { what: 'job', id: jobId });
    return job;
  }

  cancel(jobId: JobId): Promise<void> {
    this.told.push(`cancel ${jobId}`);
    this.end(jobId, 'CANCELED');
    return Promise.resolve();
  }

  async savepoint(...given: Parameters<ClusterService['savepoint']>): ReturnType<ClusterService['savepoint']> {
    const [jobId, request] = given;
    const { target, stopsSources, drains } = request;
    this.told.push(`savepoint ${jobId} to ${String(target)} stops ${stopsSources} drains ${String(drains)}`);
    await this.beforeEnd();
    if (stopsSources) this.end(jobId, 'CANCELED');
    const location = `${target ?? '/savepoints'}/savepoint-1`;
    return { location, file: { name: 'metadata', sizeBytes: 1, checksum: '00000000' } };
  }

  async rescale(jobId: JobId, parallelism: number): Promise<void> {
    this.told.push(`rescale ${jobId} to ${parallelism}`);
    await this.beforeEnd();
  }

  placement(jobId: JobId): JobPlacement {
    const { name } = this.#job(jobId);
    return { ...PLACEMENT, jobId, name, crossRackBytes: { read: 2048, sent: 7 } };
  }

  previewPlacement({ text }: Pick<SubmitJob, 'text'>): Promise<JobPlacement> {
    const line = /^(.*)broken/m.exec(text);
    if (line !== null) return Promise.reject(refusal(text, line.index));
    const name = /^name: (.*)$/m.exec(text)?.[1] ?? 'job';
    const isTooLarge = name === 'large';
    const waitingFor = isTooLarge ? '9 slots (1 are free)' : null;
    return Promise.resolve({ ...PLACEMENT, name, waitingFor, report: isTooLarge ? null : PLACEMENT.report });
  }

  async rebalance(jobId: JobId): Promise<readonly MovedTasks[]> {
    this.told.push(`rebalance ${jobId}`);
    await this.beforeEnd();
    return [{ subtaskIndex: 1, from: toTaskManagerId('tm-1'), to: toTaskManagerId('tm-2') }];
  }

  /** A TaskManager with two slots, the first of which the job has. */
  register(id: string, jobId: JobId | null): void {
    const taskManagerId = toTaskManagerId(id);
    const slot = (index: number, occupant: JobId | null) => ({
      slotId: slotId(`slot-${index}`),
      memoryBytes: 64 * 2 ** 20,
      jobId: occupant,
    });
    this.#taskManagers.set(taskManagerId, {
      taskManagerId,
      address: 'host-1:6000',
      rack: 'a',
      host: 'host-1',
      tags: ['fast'],
      slots: [slot(0, jobId), slot(1, null)],
      lastHeartbeatAtMs: STARTED_AT_MS,
      drain: null,
    });
  }

  taskManagers(): readonly TaskManagerDetails[] {
    return [...this.#taskManagers.values()];
  }

  drain(taskManagerId: TaskManagerId, reason: string, expiresAtMs: number | null): Promise<void> {
    return this.#mark(taskManagerId, { version: 1, taskManagerId, reason, expiresAtMs });
  }

  undrain(taskManagerId: TaskManagerId): Promise<void> {
    return this.#mark(taskManagerId, null);
  }

  #mark(id: TaskManagerId, drain: TaskManagerDetails['drain']): Promise<void> {
    const taskManager = this.#taskManagers.get(id);
    if (taskManager !== undefined) taskManager.drain = drain;
    const missing = clusterErrors.create('MR-CLUSTER-NOT-FOUND', { what: 'TaskManager', id });
    return taskManager === undefined ? Promise.reject(missing) : Promise.resolve();
  }
}

function checkpoint(checkpointId: number, state: 'pending' | 'completed' | 'aborted') {
  return {
    checkpointId,
    state,
    triggeredAtMs: STARTED_AT_MS + checkpointId,
    endedAtMs: state === 'pending' ? null : STARTED_AT_MS + checkpointId + 40,
    durationMs: 40.25,
    subtasks: 3,
    acknowledged: state === 'completed' ? 3 : 1,
    stateBytes: 2000,
    inFlightBytes: 10,
    alignmentMs: 1,
    syncMs: 2,
    asyncMs: 3,
    failure: state === 'aborted' ? 'it took too long' : null,
  };
}

function refusal(text: string, index: number): JobFileProblems {
  const problem = problemAt(text, index);
  return jobFileProblems([problem], [formatProblem(problem)]);
}

function problemAt(text: string, index: number) {
  const line = text.slice(0, index).split('\n').length;
  const place = { fileName: 'job.yaml', line, column: 1, endColumn: 7 };
  return { ...place, code: 'MR-JOB-SYNTAX' as const, message: 'broken', expected: 'a whole', suggestion: null };
}
