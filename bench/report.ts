/** Medians with minimum and maximum over the interleaved runs, and the ratios that decide. */
import type { Figures, RunFigures } from './systems/system.ts';

export interface SystemRuns {
  readonly system: string;
  readonly runs: readonly RunFigures[];
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One line of the report: a query, a system, warm or cold. */
export interface Row {
  readonly query: string;
  readonly system: string;
  readonly parallelism: number;
  readonly warmth: 'warm' | 'cold';
  readonly records: number;
  readonly wallSeconds: Spread;
  readonly cpuSeconds: Spread;
  /** Records per wall second. */
  readonly perWallSecond: Spread;
  /** Records per CPU-second of all processes of the system. */
  readonly perCpuSecond: Spread;
  /** On the engine's rows: records per CPU-second over that of the peer of the same warmth, pair by pair. */
  readonly ratioToFlink?: Spread;
  readonly ratioToRaw?: Spread;
  readonly ratioToKafkajs?: Spread;
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const at = (index: number) => sorted[index] ?? NaN;
  const median = sorted.length % 2 === 1 ? at(Math.floor(middle)) : (at(middle - 1) + at(middle)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}

const perCpuSecond = (figures: Figures) => figures.records / figures.cpuSeconds;

export function rowsOf(query: string, parallelism: number, all: readonly SystemRuns[]): readonly Row[] {
  const rows: Row[] = [];
  for (const warmth of ['warm', 'cold'] as const) {
    for (const { system, runs } of all) {
      const figures = runs.map((run) => run[warmth]);
      rows.push({
        query,
        system,
        parallelism,
        warmth,
        records: figures[0]?.records ?? 0,
        wallSeconds: spread(figures.map((f) => f.wallSeconds)),
        cpuSeconds: spread(figures.map((f) => f.cpuSeconds)),
        perWallSecond: spread(figures.map((f) => f.records / f.wallSeconds)),
        perCpuSecond: spread(figures.map(perCpuSecond)),
        ...(system === 'millrace' ? ratios(figures, all, warmth) : {}),
      });
    }
  }
  return rows;
}

function ratios(ours: readonly Figures[], all: readonly SystemRuns[], warmth: 'warm' | 'cold') {
  const against = (system: string): Spread | undefined => {
    const theirs = all.find((other) => other.system === system)?.runs;
    if (theirs === undefined) return undefined;
    return spread(ours.map((f, i) => perCpuSecond(f) / perCpuSecond((theirs[i] as RunFigures)[warmth])));
  };
  const flink = against('flink');
  const raw = against('raw');
  const kafkajs = against('kafkajs');
  return {
    ...(flink === undefined ? {} : { ratioToFlink: flink }),
    ...(raw === undefined ? {} : { ratioToRaw: raw }),
    ...(kafkajs === undefined ? {} : { ratioToKafkajs: kafkajs }),
  };
}

const thousands = (value: number) => Math.round(value / 1000).toLocaleString('en-US');
const spreadText = (s: Spread, show: (n: number) => string) => `${show(s.median)} (${show(s.min)}–${show(s.max)})`;

export function renderTable(rows: readonly Row[]): string {
  const header = [
    'query',
    'P',
    '',
    'system',
    'thousand records/s',
    'thousand records/CPU-s',
    'CPU-µs/record',
    'ratios of records/CPU-s',
  ];
  const lines = rows.map((row) => [
    row.query,
    String(row.parallelism),
    row.warmth,
    row.system,
    spreadText(row.perWallSecond, thousands),
    spreadText(row.perCpuSecond, thousands),
    (1e6 / row.perCpuSecond.median).toFixed(2),
    [
      row.ratioToFlink === undefined ? null : `${row.ratioToFlink.median.toFixed(2)} × flink`,
      row.ratioToKafkajs === undefined ? null : `${row.ratioToKafkajs.median.toFixed(2)} × kafkajs`,
      row.ratioToRaw === undefined ? null : `${row.ratioToRaw.median.toFixed(2)} × raw`,
    ]
      .filter((text) => text !== null)
      .join(', '),
  ]);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const render = (line: readonly string[]) =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [render(header), `|${widths.map((w) => '-'.repeat(w + 2)).join('|')}|`, ...lines.map(render)].join('\n');
}
