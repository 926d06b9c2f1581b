/*
 * npm run demo: a real job, from its YAML file, between two topics of a broker that is started for it. With `-- --once`
 * or without a terminal it ends by itself, with exit code 0 only if the output is right.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { runDemo } from './demo/index.ts';
import { ServicesError } from './services/index.ts';

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.abort());

try {
  process.exitCode = await runDemo({
    root: fileURLToPath(new URL('..', import.meta.url)),
    once: values.once || !process.stderr.isTTY,
    tell: (line) => process.stderr.write(`${line}\n`),
    interrupted: interruption.signal,
  });
} catch (error) {
  if (!(error instanceof ServicesError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}
