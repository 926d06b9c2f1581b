/**
 * A running aggregate over more keys than its memory holds, with checkpoints every ten seconds: rows a second, memory,
 * checkpoints (time, bytes written), and how long the thread's event loop waits for its turn meanwhile. Each key has a
 * value of 100 bytes. First every key comes once, then keys come by chance.
 *
 *     node bench/micro/disk-state.ts [disk or memory] [keys] [MiB of memory] [seconds of updates]
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ColumnBatch, rowSchema, types } from '../../src/core/index.ts';
import type { BytesColumn, LongColumn } from '../../src/core/index.ts';
import { nodePorts } from '../../src/core/node-ports.ts';
import { createOperator } from '../../src/operators/index.ts';
import { openCheckpointStorage, spillSpace } from '../../src/state/index.ts';
import { InFlightRows } from '../../src/taskmanager/checkpoints/in-flight-rows.ts';
import { OperatorFiles } from '../../src/taskmanager/checkpoints/operator-files.ts';
import { SnapshotWriter } from '../../src/taskmanager/checkpoints/snapshot-writer.ts';
import { DEFAULT_LIMITS } from '../../src/taskmanager/runtime-limits.ts';
import { TaskLoop } from '../../src/taskmanager/task-loop.ts';
import { benchContext } from './measuring/cpu-rate.ts';

const ROWS = 4096;
const VALUE_BYTES = 100;
const KEY_GROUPS = 128;
const INTERVAL_MS = 10_000;

const [, , backend = 'disk', keyText = '10000000', memoryText = '256', secondsText = '60'] = process.argv;
const keyCount = Number(keyText);
const updateMs = Number(secondsText) * 1000;
const root = mkdtempSync(join(tmpdir(), 'millrace-disk-state-'));
const { clock } = nodePorts;

const input = rowSchema([
  { name: 'key', type: types.long },
  { name: 'value', type: types.string },
]);
const value = { kind: 'column', index: 1, name: 'value', type: types.string } as const;
const plain = { distinct: false, filter: null } as const;
const count = { name: 'rows', function: 'count', argument: null, type: types.long, ...plain } as const;
const last = { name: 'last', function: 'last', argument: value, type: types.string, ...plain } as const;

const operator = createOperator({
  kind: 'aggregate',
  stepId: 'totals',
  keys: [0],
  calls: [count, last],
  input,
  output: rowSchema([
    { name: 'key', type: types.long },
    { name: 'rows', type: types.long },
    { name: 'last', type: types.string },
  ]),
});

const batch = new ColumnBatch(input, ROWS);
const [keys, values] = batch.columns as [LongColumn, BytesColumn];
values.data = new Uint8Array(VALUE_BYTES + ROWS).map((_, at) => 97 + (at % 26));
let rows = 0;
let random = 1;

function fill(): void {
  const isLoading = rows < keyCount;
  for (let row = 0; row < ROWS; row++) {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    keys.values[row] = isLoading ? (rows + row) % keyCount : random % keyCount;
    values.starts[row] = row;
    values.ends[row] = row + VALUE_BYTES;
  }
  batch.rowCount = ROWS;
}

/**
 * Between two turns of a timer: how long it was, and how much of that the thread was running, both in ms. On a machine
 * with other work the first also says for how long others ran.
 */
const pauses = { quiet: [] as number[], checkpoint: [] as number[] };
const ran = { quiet: [] as number[], checkpoint: [] as number[] };
let turnedAtMs = clock.monotonicMs();
let usage = process.threadCpuUsage();
let isWriting = false;
let largestBytes = 0;

const loop = new TaskLoop(nodePorts, DEFAULT_LIMITS, () => undefined);
const ownTurn = (): void => {
  const now = clock.monotonicMs();
  const used = process.threadCpuUsage(usage);
  const when = isWriting ? 'checkpoint' : 'quiet';
  pauses[when].push(now - turnedAtMs);
  ran[when].push((used.user + used.system) / 1000);
  turnedAtMs = now;
  // As the runtime does: more than the budget would end the job.
  largestBytes = Math.max(largestBytes, operator.state?.sizeBytes ?? 0);
  usage = process.threadCpuUsage();
  setTimeout(ownTurn, 1);
};

let isPreparing = false;
let barrier: (() => void) | null = null;
const subtask = {
  run(deadlineMs: number): void {
    while (!isPreparing && clock.monotonicMs() < deadlineMs) {
      // A barrier passes between two batches.
      barrier?.();
      barrier = null;
      fill();
      const prepared = operator.prepare?.(batch, 0);
      if (prepared === undefined) process_();
      else {
        isPreparing = true;
        void prepared.then(() => {
          isPreparing = false;
          process_();
          loop.wake(subtask);
        });
      }
    }
    if (!isPreparing) loop.wake(subtask);
  },
};

function process_(): void {
  operator.process(batch, 0, 0);
  rows += ROWS;
}

const storage = openCheckpointStorage({ kind: 'directory', path: join(root, 'checkpoints') }, nodePorts);
const files = new OperatorFiles([], 0, KEY_GROUPS);
let checkpointId = 0;

async function checkpoint(): Promise<void> {
  const id = ++checkpointId;
  const state = operator.state;
  if (state === undefined) throw new Error('no state');
  const sinceMs = clock.monotonicMs();
  isWriting = true;
  let syncMs = 0;
  const writer = await new Promise<SnapshotWriter>((resolve) => {
    barrier = () => {
      const atMs = clock.monotonicMs();
      const basis = files.basisOf('totals');
      const snapshot = state.snapshot(basis);
      syncMs = clock.monotonicMs() - atMs;
      const inFlight = new InFlightRows();
      inFlight.end();
      const captures = [{ stepId: 'totals', schema: state.schema, snapshot, kept: basis.kept }];
      resolve(new SnapshotWriter(id, captures, inFlight, { storage, owner: 'bench', loop, clock }));
      writers.push({ confirm: () => snapshot.confirm?.() });
    };
  });
  const written = await writer.result;
  if (written === null) throw new Error('abandoned');
  files.completed('totals', written.operators);
  writers.pop()?.confirm();
  isWriting = false;
  const names = new Set(written.operators.map(({ file }) => file.name));
  const bytes = written.operators.reduce((sum, { file }) => sum + file.sizeBytes, 0);
  const seconds = ((clock.monotonicMs() - sinceMs) / 1000).toFixed(1);
  const sizes = `${mib(written.sizeBytes)} written, ${names.size} files of ${mib(bytes)}`;
  print(`checkpoint ${id} at ${millions(rows)} M rows: ${seconds} s, ${syncMs.toFixed(1)} ms at the barrier, ${sizes}`);
}
const writers: { confirm(): void }[] = [];

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
const millions = (number: number): string => (number / 1e6).toFixed(1);

function describe(what: string, times: readonly number[]): string {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return `${what}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, p99.9 ${at(0.999)} ms, longest ${at(1)} ms`;
}

const memoryBytes = Number(memoryText) * 1024 * 1024;
const directory = join(root, 'work');
const spill = spillSpace({ directory, memoryBytes, takesCheckpoints: true, ports: nodePorts });
const output = { ready: true, emit: () => undefined };
await operator.open({ ...benchContext(output), maxParallelism: KEY_GROUPS, ...(backend === 'disk' ? { spill } : {}) });
void loop.run();
loop.wake(subtask);
ownTurn();
print(`${backend}, ${millions(keyCount)} M keys, ${backend === 'disk' ? `${memoryText} MiB` : 'no limit'}`);

let peakBytes = 0;
const watch = setInterval(() => {
  peakBytes = Math.max(peakBytes, process.memoryUsage().rss);
}, 100);
const phase = async (name: string, isOver: () => boolean): Promise<void> => {
  const [fromRows, fromMs, fromCpu] = [rows, clock.monotonicMs(), process.cpuUsage()];
  for (let dueMs = clock.monotonicMs() + INTERVAL_MS; !isOver(); ) {
    await clock.sleep(50);
    if (clock.monotonicMs() < dueMs) continue;
    await checkpoint();
    dueMs = Math.max(clock.monotonicMs(), dueMs + INTERVAL_MS);
  }
  const { user, system } = process.cpuUsage(fromCpu);
  const seconds = (clock.monotonicMs() - fromMs) / 1000;
  const rate = `${((rows - fromRows) / seconds / 1000).toFixed(0)} k rows/s`;
  print(`${name}: ${rate}, ${((user + system) / (rows - fromRows)).toFixed(1)} µs of CPU a row`);
};
await phase('every key once', () => rows >= keyCount);
const untilMs = clock.monotonicMs() + updateMs;
await phase('keys by chance', () => clock.monotonicMs() >= untilMs);
const stateBytes = operator.state?.sizeBytes ?? 0;
const processBytes = process.memoryUsage().rss;
print(`state ${mib(stateBytes)}, at most ${mib(largestBytes)}; process ${mib(processBytes)}, most ${mib(peakBytes)}`);
for (const when of ['quiet', 'checkpoint'] as const) {
  print(describe(`turns, ${when}`, pauses[when]));
  print(describe(`of which the thread ran, ${when}`, ran[when]));
}
clearInterval(watch);
const onDisk = readdirSync(root, { recursive: true }).filter((name) => String(name).startsWith('work'));
print(`local files ${mib(onDisk.reduce((sum, name) => sum + statSync(join(root, String(name))).size, 0))}`);
rmSync(root, { recursive: true, force: true });
process.exit(0);
