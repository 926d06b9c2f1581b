/** Runs one job in this process, from its graph to its result, and shows how it goes. */
import { resolve } from 'node:path';

import { counterNames, messageOf, type CheckpointStorageConfig } from '../core/index.ts';
import { startLocalCluster, type JobHandle, type JobResult } from '../dispatcher/index.ts';
import type { JobGraph } from '../graph/index.ts';
import { embeddedWorkDirectory } from '../ha/index.ts';
import type { StartMode } from '../scheduler/index.ts';
import { openCheckpointStorage } from '../state/index.ts';
import { startTaskManager } from '../taskmanager/index.ts';
import { catalog } from './catalog.ts';
import type { CommandContext } from './command-context.ts';
import { serveControl, type ControlServer } from './control/local-control.ts';
import { controlFile, runningJobControl, type RunningJobOptions } from './control/running-job.ts';
import { CRASH_POINT_VARIABLE, crashPointsOf } from './crash-points.ts';
import { DATA_FOLDER } from './data-folder.ts';
import { watchForInterruption } from './interruption.ts';
import { openJobData, type JobData, type JobDataRequest } from './job-data.ts';
import type { ProgressDisplay } from './progress/display.ts';
import { JobNotes } from './progress/job-notes.ts';
import type { JobProgress } from './progress/job-progress.ts';
import { describeError } from './report-error.ts';
import { machineMemoryBytes } from './machine-memory.ts';
import { stateSchemas } from './state-schemas.ts';
import { stepLabels } from './step-labels.ts';

export interface RunRequest {
  readonly graph: JobGraph;
  readonly display: ProgressDisplay;
  /** Where to write a line of statistics each time that the counters move; null for nowhere. */
  readonly statsFile: string | null;
  /** Null for a job that takes no checkpoints. */
  readonly recovery: RecoveryRequest | null;
}

export interface RecoveryRequest {
  /** Where they keep what they remember, each in a folder of its own. */
  readonly dataFolder: string;
  readonly start: StartMode;
  readonly allowDroppedState: boolean;
}

export interface RunOutcome {
  readonly result: JobResult;
  /** Ended by `millrace stop`. */
  readonly wasStopped: boolean;
  readonly progress: JobProgress;
}

/** Of the machine's memory, for what all slots remember, where the job does not say. */
const STATE_SHARE = 0.7;

const STATISTICS_INTERVAL_MS = 50;
const NOTES_INTERVAL_MS = 100;

export async function runJob(context: CommandContext, request: RunRequest): Promise<RunOutcome> {
  const { graph, display, recovery } = request;
  const setting = context.environment.variables[CRASH_POINT_VARIABLE];
  const ports = { ...context.ports, ...crashPointsOf(setting, () => context.environment.killNow()) };
  const data = recovery === null ? null : await openJobData(ports, dataRequest(graph, recovery));
  try {
    const finished = data?.finishedCheckpoint ?? null;
    if (finished !== null && recovery?.start.kind === 'resume') {
      const name = `${graph.name} has finished, with checkpoint ${finished}`;
      display.note(`${name}: nothing to resume (--fresh runs it again)`);
      return alreadyFinished(graph);
    }
    return await runInCluster({ ...context, ports }, request, data);
  } finally {
    await data?.close();
  }
}

async function runInCluster(context: CommandContext, request: RunRequest, data: JobData | null): Promise<RunOutcome> {
  const { ports, slotThreads } = context;
  const { graph, recovery } = request;
  const slotCount = Math.max(...graph.vertices.map(({ parallelism }) => parallelism));
  const limits = request.statsFile === null ? {} : { reportIntervalMs: STATISTICS_INTERVAL_MS };
  const cluster = await startLocalCluster({
    ports,
    catalog,
    startTaskManager: (link) =>
      startTaskManager({
        ...link,
        ports,
        workerHost: slotThreads,
        slotCount,
        limits,
        ...stateRoom(request, slotCount),
      }),
    ...(data === null ? {} : data.stores),
    openStorage: (config) => openCheckpointStorage(config, ports),
  });
  try {
    const options = recovery === null ? {} : { ...recovery, schemas: stateSchemas(graph) };
    const job = await cluster.dispatcher.submit(withoutPlace(graph), options);
    return await watchJob(context, request, job, data?.stores.storageConfig ?? null);
  } finally {
    await cluster.close();
  }
}

function dataRequest({ name, checkpoint }: JobGraph, { dataFolder }: RecoveryRequest): JobDataRequest {
  return { dataFolder, jobName: name, place: checkpoint?.storage };
}

/** Nobody but those who open the storage is to know how. */
function withoutPlace(graph: JobGraph): JobGraph {
  if (graph.checkpoint === null) return graph;
  const checkpoint = { ...graph.checkpoint };
  delete checkpoint.storage;
  return { ...graph, checkpoint };
}

/** Where the state of slots may go. */
function stateRoom({ graph, recovery }: RunRequest, slotCount: number) {
  const slotStateBytes = Math.floor((machineMemoryBytes() * STATE_SHARE) / slotCount);
  if (graph.state?.backend !== 'disk') return { slotStateBytes };
  return { slotStateBytes, workRoot: embeddedWorkDirectory(resolve(recovery?.dataFolder ?? DATA_FOLDER), graph.name) };
}

/** Shows a job until its end. */
async function watchJob(
  context: CommandContext,
  request: RunRequest,
  job: JobHandle,
  storageConfig: CheckpointStorageConfig | null,
): Promise<RunOutcome> {
  const { ports, environment } = context;
  const { graph, display } = request;
  const startedMs = ports.clock.monotonicMs();
  const release = watchForInterruption(environment, ports.clock, () => {
    display.note('stopping (once more to stop at once)');
    void job.cancel();
  });
  const steps = stepLabels(graph);
  const progress = (isEnded: boolean): JobProgress => ({
    jobName: graph.name,
    state: job.state,
    isEnded,
    elapsedMs: ports.clock.monotonicMs() - startedMs,
    steps,
    metrics: job.counters(),
    lastCheckpoint: lastCheckpointOf(job, ports.clock.nowMs()),
  });
  display.start(progress(false));
  const notes = keepNotes(context, request, job);
  const statistics = request.statsFile === null ? null : await openStatistics(context, request.statsFile, graph, job);
  const timer = repeat(context, display.intervalMs, () => display.update(progress(false)));
  let wasStopped = false;
  const onStop = (): void => {
    wasStopped = true;
  };
  const control = await startControl(context, request, { job, storageConfig, onStop });
  const result = await job.result;
  timer.stop();
  notes.stop();
  await statistics?.finish();
  const last = progress(true);
  display.finish(last);
  release();
  await control?.close();
  return { result, progress: last, wasStopped };
}

/** Lets other commands reach the job. It runs without that, too. */
async function startControl(
  context: CommandContext,
  { recovery, display }: RunRequest,
  running: Pick<RunningJobOptions, 'job' | 'onStop'> & { readonly storageConfig: CheckpointStorageConfig | null },
): Promise<ControlServer | null> {
  const { job, storageConfig } = running;
  if (recovery === null || storageConfig === null) return null;
  const { ports } = context;
  const { dataFolder } = recovery;
  try {
    const control = runningJobControl({ ...running, storageConfig, randomness: ports.randomness });
    return await serveControl(ports, controlFile(dataFolder, job.name), control);
  } catch (error) {
    display.note(`\`millrace savepoint\` and \`millrace stop\` cannot reach this job: ${messageOf(error)}`);
    return null;
  }
}

/** Tells what happens to the job's checkpoints, and its restarts, until it is stopped. */
function keepNotes(context: CommandContext, request: RunRequest, job: JobHandle): { stop(): void } {
  const { clock } = context.ports;
  const notes = new JobNotes(request.display, job, {
    nowMs: () => clock.nowMs(),
    anew: request.recovery === null ? null : whyAnew(request.graph.name, request.recovery),
    describeError,
  });
  const release = job.onStateChange(() => notes.update());
  const timer = repeat(context, NOTES_INTERVAL_MS, () => notes.update());
  return {
    stop() {
      release();
      timer.stop();
      notes.update();
    },
  };
}

function whyAnew(jobName: string, { start, dataFolder }: RecoveryRequest): string {
  if (start.kind === 'fresh') return 'starting anew, as told';
  return `starting anew: there is no checkpoint of ${jobName} in ${dataFolder}`;
}

function lastCheckpointOf(job: JobHandle, nowMs: number): JobProgress['lastCheckpoint'] {
  const completed = job.checkpoints().recent.find(({ state }) => state === 'completed');
  if (completed === undefined) return null;
  return { checkpointId: completed.checkpointId, ageMs: Math.max(0, nowMs - (completed.endedAtMs ?? nowMs)) };
}

/** What is said of a job that had nothing left to do. */
function alreadyFinished(graph: JobGraph): RunOutcome {
  return {
    result: { state: 'FINISHED', error: null },
    wasStopped: false,
    progress: {
      jobName: graph.name,
      state: 'FINISHED',
      isEnded: true,
      elapsedMs: 0,
      steps: stepLabels(graph),
      metrics: { atMs: 0, steps: [] },
      lastCheckpoint: null,
    },
  };
}

/** Calls back again and again until it is stopped; keeps no process alive. */
function repeat(context: CommandContext, intervalMs: number, callback: () => void): { stop(): void } {
  const { clock } = context.ports;
  const next = (): ReturnType<typeof clock.schedule> =>
    clock.schedule(
      intervalMs,
      () => {
        timer = next();
        callback();
      },
      true,
    );
  let timer = next();
  return { stop: () => timer.cancel() };
}

/** What the benchmarks read: what the process had used by the time that so many records were read. */
async function openStatistics(context: CommandContext, path: string, graph: JobGraph, job: JobHandle) {
  const { files } = context.ports;
  const sources = new Set(
    graph.vertices.flatMap(({ chain }) => chain.flatMap((node) => (node.kind === 'source' ? [node.spec.stepId] : []))),
  );
  const recordsIn = (): number =>
    job
      .counters()
      .steps.filter(({ stepId }) => sources.has(stepId))
      .reduce((sum, { counters }) => sum + (counters[counterNames.recordsIn.name]?.total ?? 0), 0);
  const file = await files.open(path, 'create');
  const lines: string[] = [];
  let previous = 0;
  const sample = (): void => {
    previous = recordsIn();
    lines.push(`${JSON.stringify({ ...context.environment.usage(), recordsIn: previous })}\n`);
  };
  const timer = repeat(context, STATISTICS_INTERVAL_MS, () => {
    if (recordsIn() !== previous) sample();
  });
  return {
    async finish(): Promise<void> {
      timer.stop();
      sample();
      await file.append(Buffer.from(lines.join('')));
      await file.close();
    },
  };
}
