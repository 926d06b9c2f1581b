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
  describe: (parallelism, { guarantee, checkpointIntervalMs }) =>
    `millrace run, Node ${process.versions.node}, parallelism ${parallelism}, default heap, ` +
    `sink ${guarantee} (idempotent, acks=all), ` +
    (checkpointIntervalMs === null ? 'no checkpoints' : `checkpoints to disk every ${checkpointIntervalMs} ms`),
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

const INPUT_VARIABLES = Object.freeze({ bid: 'INPUT_TOPIC', person: 'PERSONS_TOPIC', auction: 'AUCTIONS_TOPIC' });

export function millraceArguments(request: RunRequest, directory: string): readonly string[] {
  const { guarantee, checkpointIntervalMs } = request.delivery;
  const variables = {
    KAFKA_BROKERS: request.brokers,
    OUTPUT_TOPIC: request.outputTopic,
    END: 'latest',
    DELIVERY: guarantee,
    CHECKPOINT: checkpointIntervalMs === null ? 'none' : `${checkpointIntervalMs}ms`,
    ...Object.fromEntries(
      Object.entries(request.inputTopics).map(([kind, topic]) => [
        INPUT_VARIABLES[kind as keyof typeof INPUT_VARIABLES],
        topic,
      ]),
    ),
  };
  return [
    BUILT_ENTRY,
    'run',
    request.query.jobFile,
    '--fresh',
    '--data-dir',
    join(directory, 'data'),
    '--parallelism',
    String(request.parallelism),
    ...Object.entries(variables).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
  ];
}
