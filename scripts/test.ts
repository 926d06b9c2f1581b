/*
 * npm test: the checks, then the unit tests, then the suites against real services, then those in
 * containers where a Docker engine answers. The last line counts all of them.
 * `-- --only check|unit|integration|containers` runs a part; `--seed n|random` draws random tests from another seed
 * than 1.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { runCheck } from './check/index.ts';
import {
  countCheck,
  countJest,
  engineAnswers,
  formatCounts,
  sumCounts,
  type Counts,
  type JestReport,
} from './test/index.ts';

const CONTAINERS = 'containers';
const PARTS = ['check', 'unit', 'integration', CONTAINERS];
const JEST_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  // Jest leaves one core idle unless it is told, and a worker keeps what its suites leave in memory.
  unit: ['--maxWorkers=100%', '--workerIdleMemoryLimit=1GB'],
  // Suites against services share brokers and cores: one at a time, so that their deadlines mean something.
  integration: ['--runInBand'],
  // One cluster at a time.
  containers: ['--runInBand'],
};
const root = fileURLToPath(new URL('..', import.meta.url));

async function runChecks(): Promise<Counts> {
  const results = await runCheck(root);
  for (const { findings } of results) for (const finding of findings) process.stdout.write(`${finding}\n`);
  return countCheck(results);
}

async function runJest(project: string, args: readonly string[]): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  const reportFile = join(folder, 'report.json');
  const jest = ['node_modules/jest/bin/jest.js', '--selectProjects', project, '--json', '--outputFile', reportFile];
  const exitCode = await new Promise<number>((resolve, reject) => {
    // Jest repeats the report on its standard output, which nobody reads.
    const child = spawn(process.execPath, [...jest, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    // A terminal tells the child itself; a supervisor tells only us.
    const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, pass);
    child.on('error', reject);
    child.on('close', (code) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, pass);
      resolve(code ?? 1);
    });
  });
  const report = readReport(reportFile);
  rmSync(folder, { recursive: true });
  return countJest(report, exitCode);
}

function readReport(path: string): JestReport | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as JestReport;
  } catch {
    return null;
  }
}

async function runPart(part: string): Promise<Counts> {
  process.stderr.write(`\n── ${part}\n`);
  const started = performance.now();
  const counts = await (part === 'check' ? runChecks() : runJest(part, JEST_ARGUMENTS[part] ?? []));
  process.stderr.write(`${part}: ${formatCounts(counts)} (${((performance.now() - started) / 1000).toFixed(1)} s)\n`);
  return counts;
}

async function possibleParts(): Promise<readonly string[]> {
  if (process.env['MILLRACE_TEST_CONTAINERS'] === 'required' || (await engineAnswers())) return PARTS;
  process.stderr.write('containers: left out, as no Docker engine answers\n');
  return PARTS.filter((part) => part !== CONTAINERS);
}

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, seed: { type: 'string' } },
});
if (values.seed !== undefined) process.env['MILLRACE_TEST_SEED'] = values.seed;
/** Whoever asks for containers, by name or as CI does, is told by their failure that there is no engine. */
const parts = values.only ?? (await possibleParts());
const unknown = parts.find((part) => !PARTS.includes(part));
if (unknown !== undefined) {
  process.stderr.write(`--only ${unknown}: one of ${PARTS.join(', ')}\n`);
  process.exitCode = 2;
} else {
  const all: Counts[] = [];
  for (const part of parts) all.push(await runPart(part));
  const total = sumCounts(all);
  process.stdout.write(`${formatCounts(total)}\n`);
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
}
