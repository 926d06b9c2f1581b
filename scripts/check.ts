/*
 * npm run check: the rules of the house, types and lint. Prints every finding as file:line:column and ends with 1 if
 * there is one. The three run side by side.
 */
import { fileURLToPath } from 'node:url';

import { runCheck } from './check/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const results = await runCheck(root);
for (const { name, findings, seconds } of results) {
  for (const finding of findings) process.stdout.write(`${finding}\n`);
  const verdict = findings.length === 0 ? 'ok' : `${findings.length} found`;
  process.stderr.write(`${name}: ${verdict} (${seconds.toFixed(1)} s)\n`);
}
process.exitCode = results.some(({ findings }) => findings.length > 0) ? 1 : 0;
