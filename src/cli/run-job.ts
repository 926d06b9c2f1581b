/** Runs one job in this process, from its graph to its result, and shows how it goes. */
import { counterNames } from '../core/index.ts';
import { startLocalCluster, type JobHandle, type JobResult } from '../dispatcher/index.ts';
import type { JobGraph } from '../graph/index.ts';
import { startTaskManager } from '../taskmanager/index.ts';
import { catalog } from './catalog.ts';
import type { CommandContext } from './command-context.ts';
import { CRASH_POINT_VARIABLE, crashPointsOf } from './crash-points.ts';
import { watchForInterruption } from './interruption.ts';
import type { ProgressDisplay } from './progress/display.ts';
import type { JobProgress } from './progress/job-progress.ts';
import { stepLabels } from './step-labels.ts';

export interface RunRequest {
  readonly graph: JobGraph;
  readonly display: ProgressDisplay;
  /** Where to write a line of statistics each time that the counters move; null for nowhere. */
  readonly statsFile: string | null;
}

export interface RunOutcome {
  readonly result: JobResult;
  readonly progress: JobProgress;
}

const STATISTICS_INTERVAL_MS = 50;

export async function runJob(context: CommandContext, request: RunRequest): Promise<RunOutcome> {
  const { slotThreads, environment } = context;
  const { graph, display } = request;
  const ports = {
    ...context.ports,
    ...crashPointsOf(environment.variables[CRASH_POINT_VARIABLE], () => environment.killNow()),
  };
  const slotCount = Math.max(...graph.vertices.map(({ parallelism }) => parallelism));
  const limits = request.statsFile === null ? {} : { reportIntervalMs: STATISTICS_INTERVAL_MS };
  const startedMs = ports.clock.monotonicMs();
  const cluster = await startLocalCluster({
    ports,
    catalog,
    startTaskManager: (link) => startTaskManager({ ...link, ports, workerHost: slotThreads, slotCount, limits }),
  });
  try {
    const job = await cluster.dispatcher.submit(graph);
    const release = watchForInterruption(context.environment, ports.clock, () => {
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
    });
    display.start(progress(false));
    const statistics = request.statsFile === null ? null : await openStatistics(context, request.statsFile, graph, job);
    const timer = repeat(context, display.intervalMs, () => display.update(progress(false)));
    const result = await job.result;
    timer.stop();
    await statistics?.finish();
    const last = progress(true);
    display.finish(last);
    release();
    return { result, progress: last };
  } finally {
    await cluster.close();
  }
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
