import type { CrashReport, SinkReport } from './crash-test.ts';
import { isClean, type Verdict } from './output-check.ts';

/** The report for people; its last line is the result. */
export function formatReport(report: CrashReport): string {
  const { killsAtPoints, randomKills, restarts, checkpoints, missed, sinks, openPartitions } = report;
  const width = Math.max(...[...killsAtPoints.keys(), 'random instants'].map((name) => name.length));
  const line = (name: string, count: number): string => `  ${name.padEnd(width)}  ${String(count).padStart(4)}`;
  const totals = sinks.map(({ verdict }) => verdict);
  const isEqual = sinks.every(({ undisturbed }) => isClean(undisturbed));
  const unexpected = sum(totals, 'unexpected');
  return [
    `crash test of job ${report.job}, seed ${report.seed}: ${restarts} restarts, ` +
      `${checkpoints} checkpoints, ${Math.round(report.elapsedMs / 1000)} s`,
    'kills by step of the commit protocol:',
    ...[...killsAtPoints].map(([point, count]) => line(point, count)),
    line('random instants', randomKills),
    ...missed.map((text) => `missed: ${text}`),
    ...sinks.map(describeSink),
    `transactions that nobody has ended: in ${openPartitions} partitions`,
    `output ${isEqual ? 'equal to' : 'DIFFERENT FROM'} that of the undisturbed run`,
    `lost ${sum(totals, 'lost')}, duplicated ${sum(totals, 'duplicated')}` +
      (unexpected === 0 ? '' : `, unexpected ${unexpected}`),
  ].join('\n');
}

/** Whether every planned kill landed and every topic holds exactly what it should. */
export function isPassed({ missed, sinks, openPartitions }: CrashReport): boolean {
  return missed.length === 0 && sinks.every(isSound) && openPartitions === 0;
}

function isSound({ verdict, undisturbed, outOfOrder }: SinkReport): boolean {
  return isClean(verdict) && isClean(undisturbed) && outOfOrder === 0;
}

function describeSink({ step, verdict, undisturbed, outOfOrder }: SinkReport): string {
  const lines = [
    `${step}: ${verdict.found} rows of ${verdict.expected}, ${outOfOrder} out of order`,
    ...verdict.examples.map((text) => `  ${text}`),
  ];
  const differences = undisturbed.examples.map((text) => `  against the undisturbed run: ${text}`);
  return [...lines, ...differences].join('\n');
}

function sum(verdicts: readonly Verdict[], key: 'lost' | 'duplicated' | 'unexpected'): number {
  return verdicts.reduce((total, verdict) => total + verdict[key], 0);
}
