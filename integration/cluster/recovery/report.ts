import type { RecoveryResult, Spread } from './recovery.ts';

/** The table for people. */
export function formatResults(results: readonly RecoveryResult[]): string {
  const head = ['row', 'times', 'noticed', 'first output', 'caught up', 'pause', 'memory', 'lost', 'dup', 'restarted'];
  const lines = [head, ...results.map(line)];
  const widths = head.map((_, column) => Math.max(...lines.map((each) => (each[column] ?? '').length)));
  return lines.map((each) => each.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ').trimEnd()).join('\n');
}

function line(result: RecoveryResult): readonly string[] {
  const { row, times, detectMs, firstOutputMs, caughtUpMs, pauseMs, memoryMiB } = result;
  const { lost, duplicated, tasksRestarted } = result;
  return [
    row,
    String(times),
    ...[detectMs, firstOutputMs, caughtUpMs, pauseMs].map((spread) => cell(spread, 'ms')),
    cell(memoryMiB, 'MiB'),
    String(lost),
    String(duplicated),
    String(tasksRestarted),
  ];
}

/** Median and maximum. */
function cell(spread: Spread | null, unit: string): string {
  return spread === null ? '–' : `${spread.median} / ${spread.max} ${unit}`;
}
