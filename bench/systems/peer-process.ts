/**
 * The frame of a peer that runs as a process of its own: threads do the work, the main thread writes samples. Used as
 * `runPeer(new URL(import.meta.url))` on the main thread; threads call `peerTask()`.
 */
import { appendFileSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { PARTITION_COUNT } from './partitions.ts';

export interface PeerArguments {
  readonly query: string;
  readonly brokers: string;
  readonly inputTopic: string;
  readonly outputTopic: string;
  readonly events: number;
  readonly parallelism: number;
  readonly statsFile: string;
  /** Mean bytes of an output row, and output rows per input record: for the raw peer. */
  readonly rowBytes: number;
  readonly rowsPerRecord: number;
}

export interface PeerTask extends PeerArguments {
  readonly index: number;
  /** One element per thread: records read so far. */
  readonly progress: Float64Array;
}

const SAMPLE_INTERVAL_MS = 50;


export function partitionsOf(task: PeerTask): readonly number[] {
  return Array.from({ length: PARTITION_COUNT }, (_, p) => p).filter((p) => p % task.parallelism === task.index);
}

export async function runPeer(entry: URL, work: (task: PeerTask) => Promise<void>): Promise<void> {
  if (!isMainThread) {
    await work(workerData as PeerTask);
    return;
  }
  const args = JSON.parse(process.argv[2] ?? '{}') as PeerArguments;
  const progress = new Float64Array(new SharedArrayBuffer(8 * args.parallelism));
  const sample = () => {
    const { user, system } = process.cpuUsage();
    const line = {
      elapsedMs: performance.now(),
      cpuMs: (user + system) / 1000,
      rssBytes: process.memoryUsage.rss(),
      recordsIn: progress.reduce((sum, n) => sum + n, 0),
    };
    appendFileSync(args.statsFile, `${JSON.stringify(line)}\n`);
  };
  const timer = setInterval(sample, SAMPLE_INTERVAL_MS);
  await Promise.all(
    Array.from({ length: args.parallelism }, (_, index) => {
      const worker = new Worker(entry, { workerData: { ...args, index, progress } satisfies PeerTask });
      return new Promise<void>((resolve, reject) => {
        worker.on('error', reject);
        worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`thread ended with ${code}`))));
      });
    }),
  );
  clearInterval(timer);
  sample();
  process.exit(0);
}
