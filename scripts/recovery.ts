/*
 * npm run recovery: kills and pauses processes of a cluster while a job runs, and prints how soon output comes again,
 * and whether anything was lost or written twice. Exit code 0 only where nothing was.
 */
import { writeFileSync } from 'node:fs';

import {
  formatResults,
  isSound,
  recoveryRows,
  type RecoveryResult,
} from '../integration/cluster/recovery/index.ts';
import { readOptions, runProgram, runWithServices, tell, usageErrorOf } from './services/index.ts';

const USAGE = `usage: npm run recovery -- [options]

  --times N     how often each disturbance happens (default: 3)
  --row NAME    only this row (repeatable): ${[...recoveryRows.keys()].join(', ')}
  --json FILE   writes the results there, too
`;

const usageError = usageErrorOf(USAGE);

function readArguments() {
  const options = {
    times: { type: 'string', default: '3' },
    row: { type: 'string', multiple: true },
    json: { type: 'string' },
  } as const;
  const values = readOptions(options, usageError);
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
  return runWithServices({
    kind: 'recovery',
    services: {},
    leaves: 'logs and checkpoints',
    async run({ name, brokers, zookeeper = '' }, folder) {
      const results: RecoveryResult[] = [];
      for (const measure of rows) {
        results.push(await measure({ brokers, zookeeper, services: name, times, folder, tell }));
        if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
      }
      process.stdout.write(`${formatResults(results)}\n`);
      return results.every(isSound);
    },
  });
}

await runProgram(main);
