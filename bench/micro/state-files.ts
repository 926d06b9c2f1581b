/**
 * Writing and reading a state file on a thread that has other things to do: seconds, CPU, and how long the event loop
 * was kept from its next turn. The longest turns are those in which another process had the core: compare with doing
 * nothing.
 *
 *     node bench/micro/state-files.ts [megabytes] [directory] [s3]
 *
 * With `s3`, the same in a service on this machine that speaks its protocol, with and without copies in the directory
 * (docs/design/024).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { CheckpointStorage, StateFile } from '../../src/core/index.ts';
import { nodePorts } from '../../src/core/node-ports.ts';
import { startServices, stopServices } from '../../scripts/services/index.ts';
import { LocalCopies, openCheckpointStorage } from '../../src/state/index.ts';

/** As snapshots hand them over. */
const CHUNK_BYTES = 64 * 1024;
/** As restores read them: neighbouring chunks together. */
const READ_BYTES = 1024 * 1024;

const megabytes = Number(process.argv[2] ?? 320);
const root = await mkdtemp(join(process.argv[3] ?? tmpdir(), 'millrace-state-files-'));
const totalBytes = megabytes * 1e6;

class LoopWatch {
  readonly #turnsMs: number[] = [];
  #isRunning = true;

  constructor() {
    let lastMs = performance.now();
    const turn = (): void => {
      const nowMs = performance.now();
      this.#turnsMs.push(nowMs - lastMs);
      lastMs = nowMs;
      if (this.#isRunning) setImmediate(turn);
    };
    setImmediate(turn);
  }

  stop(): string {
    this.#isRunning = false;
    const sorted = this.#turnsMs.sort((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(2);
    const long = sorted.filter((turnMs) => turnMs > 5).length;
    return `turns: 99.9 % within ${at(0.999)} ms, longest ${at(1)} ms, ${long} of ${sorted.length} above 5 ms`;
  }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

async function measured<T>(what: string, act: () => Promise<T>): Promise<T> {
  const watch = new LoopWatch();
  const cpuBefore = process.cpuUsage();
  const threadBefore = threadCpuMs();
  const startMs = performance.now();
  const result = await act();
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  process.stdout.write(
    `${what}: ${seconds.toFixed(2)} s, CPU ${((user + system) / 1e6).toFixed(2)} s of which ` +
      `this thread's ${((threadCpuMs() - threadBefore) / 1000).toFixed(2)} s (watching included); ${watch.stop()}\n`,
  );
  return result;
}

async function write(storage: CheckpointStorage): Promise<StateFile> {
  const writer = await storage.createFile(1, 'bench');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let written = 0; written < totalBytes; written += chunk.length) {
    chunk.fill(written & 0xff);
    await writer.append(chunk);
  }
  return writer.finish();
}

async function read(storage: CheckpointStorage, file: StateFile): Promise<number> {
  const reader = await storage.openFile(file);
  let sum = 0;
  for (let position = 8; position + READ_BYTES < file.sizeBytes; position += READ_BYTES) {
    sum += (await reader.read(position, READ_BYTES))[0] ?? 0;
  }
  await reader.close();
  return sum;
}

/** Where checkpoints are objects: what a copy costs, and what it saves a restore. */
async function measureObjects(): Promise<void> {
  const name = `state-files-${process.pid}`;
  const { s3 } = await startServices({ name, brokers: 0, zookeeper: false, s3: true });
  if (s3 === undefined) throw new Error('services without the S3 that was asked for');
  try {
    const { bucket, ...access } = s3;
    const far = openCheckpointStorage({ kind: 's3', bucket, prefix: name, s3: access }, nodePorts);
    const copying = (slot: string): CheckpointStorage =>
      new LocalCopies({
        directory: join(root, `copies-of-${slot}`),
        slot,
        job: 'bench',
        maxBytes: Infinity,
        storage: far,
        ports: nodePorts,
        onProblem: (problem) => process.stderr.write(`${problem}\n`),
      });
    for (let round = 1; round <= 3; round++) {
      const plain = await measured(`S3: write ${megabytes} MB, with read-back`, () => write(far));
      const file = await measured('S3: the same, with a copy', () => write(copying('writer')));
      await measured('S3: open and read it without copies', () => read(far, file));
      await measured('S3: the same, making a copy', () => read(copying(`reader-${round}`), file));
      await measured('S3: open and read its copy', () => read(copying('writer'), file));
      await far.remove(plain.name);
      await copying('writer').remove(file.name);
    }
  } finally {
    await stopServices(name);
  }
}

try {
  const storage = openCheckpointStorage({ kind: 'directory', path: root }, nodePorts);
  await measured('nothing', () => nodePorts.clock.sleep(1000));
  for (let round = 1; round <= 3; round++) {
    const file = await measured(`write ${megabytes} MB, with fsync and read-back`, () => write(storage));
    await measured(`open ${megabytes} MB (checks all of it)`, async () => (await storage.openFile(file)).close());
    await measured(`open and read ${megabytes} MB`, () => read(storage, file));
    await storage.remove(file.name);
  }
  if (process.argv[4] === 's3') await measureObjects();
} finally {
  await rm(root, { recursive: true, force: true });
}
