/** The peers that are programs of ours (bench/peers): each run is a process of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bidQueries } from '../nexmark/queries.ts';
import type { PeerArguments } from './peer-process.ts';
import { runChild } from './run-child.ts';
import { figuresOf, readSamples } from './system.ts';
import type { System } from './system.ts';

function peer(name: string, entry: string, description: string): System {
  return {
    supports: (query) => bidQueries.has(query.name),
    name,
    describe: (parallelism) => `${description}, Node ${process.versions.node}, ${parallelism} thread(s)`,
    prepare: () => Promise.resolve(),
    run: async (request) => {
      const directory = await mkdtemp(join(tmpdir(), `bench-${name}-`));
      try {
        const statsFile = join(directory, 'stats.jsonl');
        const args: PeerArguments = {
          query: request.query.name,
          brokers: request.brokers,
          inputTopic: request.inputTopics.bid ?? '',
          outputTopic: request.outputTopic,
          events: request.events,
          parallelism: request.parallelism,
          statsFile,
          rowBytes: request.output.rowBytes,
          rowsPerRecord: request.output.rowsPerRecord,
        };
        await runChild(process.execPath, [fileURLToPath(new URL(entry, import.meta.url)), JSON.stringify(args)]);
        return figuresOf(await readSamples(statsFile), request.events);
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  };
}

export const kafkajs = peer('kafkajs', '../peers/kafkajs.ts', 'kafkajs consumer and idempotent producer, acks=all');
export const raw = peer('raw', '../peers/raw.ts', 'the engine’s own Kafka client: fetch, CRC, walk, copy, produce');
