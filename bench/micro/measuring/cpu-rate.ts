/** What programs that measure one thread share: the clock, the command line, and what an operator is opened with. */
import type { OperatorContext } from '../../../src/core/index.ts';
import { nodePorts } from '../../../src/core/node-ports.ts';

/** Of this process: what other work on the machine does not change (much). */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/**
 * Rows per CPU-second: the best of three passes that take `seconds` together, after one that warms up. A pass calls
 * `step` with 0, 1, 2 …, which answers with its rows.
 */
export function rowsPerCpuSecond(seconds: number, warmUpMs: number, step: (index: number) => number): number {
  const pass = (milliseconds: number): number => {
    const start = performance.now();
    const used = cpuSeconds();
    let rows = 0;
    for (let index = 0; performance.now() - start < milliseconds; index++) rows += step(index);
    return rows / (cpuSeconds() - used);
  };
  pass(warmUpMs);
  return Math.max(...[1, 2, 3].map(() => pass((seconds * 1000) / 3)));
}

/** Prints a line for each of the cases that the command line asks for: `[seconds per case] [how their names begin]`. */
export function printCases<Case>(
  cases: Readonly<Record<string, Case>>,
  defaultSeconds: number,
  resultOf: (one: Case, seconds: number) => string,
): void {
  const seconds = Number(process.argv[2] ?? defaultSeconds);
  const wanted = process.argv[3] ?? '';
  for (const [name, one] of Object.entries(cases)) {
    if (name.startsWith(wanted)) console.log(`${name.padEnd(48)} ${resultOf(one, seconds)}`);
  }
}

export const millionRows = (rate: number): string => `${(rate / 1e6).toFixed(2).padStart(8)} M rows/CPU-s`;

export function benchContext(output: OperatorContext['output']): OperatorContext {
  return {
    jobName: 'bench',
    stepId: 'step',
    subtaskIndex: 0,
    parallelism: 1,
    maxParallelism: 128,
    ports: nodePorts,
    restoredWatermarkMs: -Infinity,
    setAlarm: () => undefined,
    counter: () => ({ value: 0 }),
    output,
    errors: {
      handle: (_batch, _row, _stepId, error) => {
        throw error;
      },
    },
  };
}
