import { counterNames } from '../../core/index.ts';
import type { CounterReading, JobMetrics, StepMetrics } from '../../metrics/index.ts';
import { textTable } from '../text-table.ts';
import { formatCount, formatElapsed, formatRate } from './quantities.ts';

/** A step of the job file, for its reader. */
export interface StepLabel {
  readonly stepId: string;
  /** `source kafka`, `filter`. */
  readonly what: string;
}

/** What a display shows: a job at one moment. */
export interface JobProgress {
  readonly jobName: string;
  readonly state: string;
  readonly elapsedMs: number;
  /** Then rates are those of the whole run. */
  readonly isEnded: boolean;
  readonly steps: readonly StepLabel[];
  readonly metrics: JobMetrics;
  /** The newest that is complete; null where there is none. */
  readonly lastCheckpoint: { readonly checkpointId: number; readonly ageMs: number } | null;
}

type CounterKey = keyof typeof counterNames;

function stepMetrics(progress: JobProgress, stepId: string): StepMetrics | undefined {
  return progress.metrics.steps.find((step) => step.stepId === stepId);
}

function reading(progress: JobProgress, stepId: string, key: CounterKey): CounterReading | null {
  const now = stepMetrics(progress, stepId)?.counters[counterNames[key].name];
  if (now === undefined) return null;
  return progress.isEnded ? { ...now, perSecond: (now.total * 1000) / Math.max(1, progress.elapsedMs) } : now;
}

/** Columns that stand only where some step has something to say in them. */
const RARE_COLUMNS: readonly { readonly key: CounterKey; readonly title: string }[] = [
  { key: 'lag', title: 'lag' },
  { key: 'recordsSkipped', title: 'skipped' },
  { key: 'deadLetters', title: 'dead letters' },
];

/** A heading and a table with a line per step. */
export function progressTable(progress: JobProgress): readonly string[] {
  const { steps } = progress;
  const rare = RARE_COLUMNS.filter(({ key }) => steps.some(({ stepId }) => reading(progress, stepId, key) !== null));
  const count = (stepId: string, key: CounterKey): string => {
    const value = reading(progress, stepId, key);
    return value === null ? '' : formatCount(value.total);
  };
  const header = ['step', '', 'in', 'out', 'in per second', ...rare.map(({ title }) => title)];
  const rows = steps.map(({ stepId, what }) => {
    const input = reading(progress, stepId, 'recordsIn') ?? reading(progress, stepId, 'recordsOut');
    const rate = input === null ? '' : formatRate(input.perSecond);
    const first = [stepId, what, count(stepId, 'recordsIn'), count(stepId, 'recordsOut'), rate];
    return [...first, ...rare.map(({ key }) => count(stepId, key))];
  });
  const numeric = header.map((_, i) => i).filter((i) => i >= 2);
  const table = textTable([header, ...rows], { rightAligned: numeric });
  const heading = [progress.jobName, progress.state, formatElapsed(progress.elapsedMs), ...checkpoint(progress)];
  return [heading.join('  '), ...table];
}

/** One line: what came in at the sources, what left at the ends. */
export function progressLine(progress: JobProgress): string {
  const parts = progress.steps.flatMap(({ stepId, what }) => {
    const isSource = what.startsWith('source');
    const isSink = what.startsWith('sink');
    if (!isSource && !isSink) return [];
    const value = reading(progress, stepId, isSource ? 'recordsIn' : 'recordsOut');
    if (value === null) return [];
    const lag = reading(progress, stepId, 'lag');
    const behind = isSource && lag !== null ? `, lag ${formatCount(lag.total)}` : '';
    const verb = isSource ? 'read' : 'wrote';
    return [`${stepId} ${verb} ${formatCount(value.total)} (${formatRate(value.perSecond)}${behind})`];
  });
  const state = `${formatElapsed(progress.elapsedMs)}  ${progress.state}`;
  return [state, ...parts, ...checkpoint(progress), ...troubles(progress)].join('; ');
}

/** Once a job has ended its age says nothing. */
function checkpoint({ lastCheckpoint, isEnded }: JobProgress): string[] {
  if (lastCheckpoint === null) return [];
  const age = isEnded ? '' : `, ${formatElapsed(lastCheckpoint.ageMs)} ago`;
  return [`checkpoint ${lastCheckpoint.checkpointId}${age}`];
}

/** What was skipped and sent to dead-letter targets, where something was. */
function troubles(progress: JobProgress): string[] {
  return progress.steps.flatMap(({ stepId }) => {
    const skipped = reading(progress, stepId, 'recordsSkipped')?.total ?? 0;
    const dead = reading(progress, stepId, 'deadLetters')?.total ?? 0;
    return [
      ...(skipped > 0 ? [`${stepId} skipped ${formatCount(skipped)}`] : []),
      ...(dead > 0 ? [`${stepId} sent ${formatCount(dead)} dead letters`] : []),
    ];
  });
}

/** Totals of a job that has ended, for scripts. */
export function totalsByStep(progress: JobProgress): Readonly<Record<string, Readonly<Record<string, number>>>> {
  return Object.fromEntries(
    progress.steps.map(({ stepId }) => {
      const counters = Object.entries(stepMetrics(progress, stepId)?.counters ?? {});
      return [stepId, Object.fromEntries(counters.map(([name, { total }]) => [name, total]))];
    }),
  );
}
