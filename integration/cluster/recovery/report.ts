import type { QueryThroughput, RecoveryResult, Spread } from './recovery.ts';

const HEAD = [
  ...['row', 'times', 'noticed', 'first output', 'caught up', 'pause', 'memory', 'of one process'],
  ...['lost', 'dup', 'restarted'],
];

/** The table for people. */
export function formatResults(results: readonly RecoveryResult[]): string {
  const lines = [HEAD, ...results.map(line)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((each) => (each[column] ?? '').length)));
  return lines.map((each) => each.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ').trimEnd()).join('\n');
}

function line(result: RecoveryResult): readonly string[] {
  const { row, times, detectMs, firstOutputMs, caughtUpMs, pauseMs, memoryMiB, throughput } = result;
  const { lost, duplicated, tasksRestarted } = result;
  return [
    row,
    String(times),
    ...[detectMs, firstOutputMs, caughtUpMs, pauseMs].map((spread) => cell(spread, 'ms')),
    cell(memoryMiB, 'MiB'),
    throughput === null ? '–' : throughput.map(share).join(', '),
    String(lost),
    String(duplicated),
    String(tasksRestarted),
  ];
}

/** Median and maximum. */
function cell(spread: Spread | null, unit: string): string {
  return spread === null ? '–' : `${spread.median} / ${spread.max} ${unit}`;
}

function share({ query, ratio }: QueryThroughput): string {
  return `${query} ${Math.round(ratio * 100)} %`;
}
