/*
 * npm run recovery: kills and pauses processes of a cluster while a job runs, and prints how soon output comes again,
 * and whether anything was lost or written twice. Exit code 0 only where nothing was.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import {
  formatResults,
  isSound,
  recoveryRows,
  type RecoveryResult,
} from '../integration/cluster/recovery/index.ts';
import { identifyProcess, ServicesError, startServices, stopServices, USAGE_EXIT_CODE } from './services/index.ts';

const USAGE = `usage: npm run recovery -- [options]

  --times N     how often each disturbance happens (default: 3)
  --row NAME    only this row (repeatable): ${[...recoveryRows.keys()].join(', ')}
  --json FILE   writes the results there, too
`;

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

function usageError(message: string): ServicesError {
  return new ServicesError(`${message}\n\n${USAGE}`, { exitCode: USAGE_EXIT_CODE });
}

function readArguments() {
  const options = {
    times: { type: 'string', default: '3' },
    row: { type: 'string', multiple: true },
    json: { type: 'string' },
  } as const;
  let values;
  try {
    values = parseArgs({ options }).values;
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
  if (!/^[1-9]\d{0,3}$/.test(values.times)) throw usageError(`--times ${values.times}: a number from 1 on`);
  const rows = (values.row ?? [...recoveryRows.keys()]).map((name) => {
    const measure = recoveryRows.get(name);
    if (measure !== undefined) return measure;
    throw usageError(`--row ${name}: there is no such row`);
  });
  return { times: Number(values.times), rows, json: values.json };
}

async function main(): Promise<number> {
  const { times, rows, json } = readArguments();
  const owner = identifyProcess(process.pid);
  const name = `recovery-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-recovery-'));
  const services = await startServices({ name, progress: tell, ...(owner === undefined ? {} : { owner }) });
  const results: RecoveryResult[] = [];
  let isGood = false;
  try {
    const { brokers, zookeeper = '' } = services;
    for (const measure of rows) {
      results.push(await measure({ brokers, zookeeper, services: name, times, folder, tell }));
      if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
    }
    process.stdout.write(`${formatResults(results)}\n`);
    isGood = results.every(isSound);
  } finally {
    if (isGood) rmSync(folder, { recursive: true });
    else tell(`logs and checkpoints are left in ${folder}`);
    await stopServices(name);
  }
  return isGood ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof ServicesError)) throw error;
  tell(error.message);
  process.exitCode = error.exitCode;
}
