/*
 * npm run sim: clusters in one process, in virtual time, disturbed by chance from a seed (docs/design/021). Prints a
 * line per seed that violates an invariant; with --trace all that has happened. Exit code 0 only where none does.
 */
import { BREAKS, runSimulation } from '../src/testing/sim/index.ts';
import type { Break, SimulationResult } from '../src/testing/sim/index.ts';
import { readOptions, runProgram, usageErrorOf } from './services/index.ts';

const USAGE = `usage: npm run sim -- [options]

  --seeds N     how many (default: 200)
  --from S      the first one (default: 1)
  --break NAME  breaks something on purpose: ${Object.keys(BREAKS).join(', ')}
  --trace       prints all that has happened
`;

const usageError = usageErrorOf(USAGE);

function readArguments() {
  const options = {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    break: { type: 'string' },
    trace: { type: 'boolean', default: false },
  } as const;
  const values = readOptions(options, usageError);
  for (const name of ['seeds', 'from'] as const) {
    if (!/^\d{1,9}$/.test(values[name])) throw usageError(`--${name} ${values[name]}: a number`);
  }
  const broken = values.break ?? null;
  if (broken !== null && !isBreak(broken)) throw usageError(`--break ${broken}: there is nothing of that name`);
  return { seeds: Number(values.seeds), from: Number(values.from), broken, keepsTrace: values.trace };
}

function isBreak(name: string): name is Break {
  return Object.hasOwn(BREAKS, name);
}

function describe({ seed, violations, virtualMs, events, epochs, restarts, hash }: SimulationResult): string {
  const seconds = (virtualMs / 1000).toFixed(0);
  const figures = `${seconds} s, ${events} events, ${epochs} epochs, ${restarts} restarts, ${hash}`;
  const found = violations.map(({ invariant, what }) => `\n  ${invariant}: ${what}`);
  return `seed ${seed}: ${figures}${found.join('')}\n`;
}

async function main(): Promise<number> {
  const { seeds, from, broken, keepsTrace } = readArguments();
  let found = 0;
  const startMs = performance.now();
  let virtualMs = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await runSimulation({ seed, broken, keepsTrace });
    virtualMs += result.virtualMs;
    if (result.violations.length > 0) found++;
    if (keepsTrace) process.stdout.write(result.trace.map((line) => `${line}\n`).join(''));
    if (keepsTrace || result.violations.length > 0) process.stdout.write(describe(result));
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const hours = (virtualMs / 3_600_000).toFixed(1);
  process.stdout.write(`${seeds} seeds, ${found} with violations, ${hours} h in ${seconds} s\n`);
  return found === 0 ? 0 : 1;
}

await runProgram(main);
