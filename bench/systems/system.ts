/** What the harness needs of each system under test. */
import { readFile } from 'node:fs/promises';
import type { Query } from '../nexmark/queries.ts';
import type { InputTopics } from '../nexmark/topics.ts';

export interface RunRequest {
  readonly query: Query;
  readonly brokers: string;
  readonly inputTopics: InputTopics;
  readonly outputTopic: string;
  /** Records in the input topics; every system reads all of them and ends. */
  readonly events: number;
  readonly parallelism: number;
  readonly delivery: Delivery;
  /** What the query writes, as the engine's first output shows: only the raw peer needs it. */
  readonly output: OutputShape;
}

/** What engines promise; plain programs promise nothing. */
export interface Delivery {
  readonly guarantee: 'at-least-once' | 'exactly-once';
  /** Null: without checkpoints. They are written to disk. */
  readonly checkpointIntervalMs: number | null;
}

export interface OutputShape {
  readonly rowBytes: number;
  readonly rowsPerRecord: number;
}

/** One run. Cold is the whole process; warm leaves out start-up and the first fifth of the records. */
export interface RunFigures {
  readonly cold: Figures;
  readonly warm: Figures;
}

export interface Figures {
  readonly records: number;
  readonly wallSeconds: number;
  /** User and system time of all processes of the system, without the broker. */
  readonly cpuSeconds: number;
}

export interface System {
  readonly name: string;
  /** Version, flags, heap and delivery guarantee, for the report. */
  describe(parallelism: number, delivery: Delivery): string;
  /** Whether it can run a query; without it, it can. */
  supports?(query: Query): boolean;
  prepare(): Promise<void>;
  run(request: RunRequest): Promise<RunFigures>;
}

/** One line of a statistics file: `millrace run --stats FILE` writes them, and so do the peers here. */
interface Sample {
  readonly elapsedMs: number;
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly recordsIn: number;
}

const WARM_UP_SHARE = 0.2;

export async function readSamples(file: string): Promise<readonly Sample[]> {
  const text = await readFile(file, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Sample);
}

/** The figures of a run from its samples; the last sample is the end of the process's work. */
export function figuresOf(samples: readonly Sample[], events: number): RunFigures {
  const last = samples.at(-1);
  const warmStart = samples.find((sample) => sample.recordsIn >= events * WARM_UP_SHARE);
  if (last === undefined || warmStart === undefined) throw new Error('the run wrote no samples');
  if (last.recordsIn !== events) throw new Error(`read ${last.recordsIn} records of ${events}`);
  return {
    cold: { records: events, wallSeconds: last.elapsedMs / 1000, cpuSeconds: last.cpuMs / 1000 },
    warm: {
      records: events - warmStart.recordsIn,
      wallSeconds: (last.elapsedMs - warmStart.elapsedMs) / 1000,
      cpuSeconds: (last.cpuMs - warmStart.cpuMs) / 1000,
    },
  };
}
