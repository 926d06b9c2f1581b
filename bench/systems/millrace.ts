/** The engine as it is installed: `millrace run` of the job file by the built package, in a process of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChild } from './run-child.ts';
import { figuresOf, readSamples } from './system.ts';
import type { RunRequest, System } from './system.ts';

/** In a checkout bin/millrace.mjs would run the sources. */
const BUILT_ENTRY = 'dist/src/cli/main.js';

export const millrace: System = {
  name: 'millrace',
  describe: (parallelism) =>
    `millrace run, Node ${process.versions.node}, parallelism ${parallelism}, default heap, ` +
    'sink at-least-once (idempotent, acks=all)',
  prepare: async () => {
    await runChild(process.execPath, ['scripts/build.ts']);
  },
  run: async (request) => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
    try {
      const statsFile = join(directory, 'stats.jsonl');
      await runChild(process.execPath, [...millraceArguments(request, directory), '--stats', statsFile]);
      return figuresOf(await readSamples(statsFile), request.events);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

export function millraceArguments(request: RunRequest, directory: string): readonly string[] {
  return [
    BUILT_ENTRY,
    'run',
    request.query.jobFile,
    '--fresh',
    '--data-dir',
    join(directory, 'data'),
    '--parallelism',
    String(request.parallelism),
    '--set',
    `KAFKA_BROKERS=${request.brokers}`,
    '--set',
    `INPUT_TOPIC=${request.inputTopic}`,
    '--set',
    `OUTPUT_TOPIC=${request.outputTopic}`,
    '--set',
    'END=latest',
  ];
}
