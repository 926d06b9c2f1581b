import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import {
  attemptId,
  bundleOf,
  codeUrl,
  jobId,
  slotId,
  stepId,
  subtaskId,
  taskManagerId,
  vertexId,
} from '../core/index.ts';
import { nodePorts } from '../core/node-ports.ts';
import { inProcessTransport, type SliceDescriptor, type TaskStateChange } from '../rpc/index.ts';
import { testSchema } from '../testing/index.ts';
import { FakeSlotThreads } from './fixtures/fake-slot-threads.ts';
import { DEFAULT_LIMITS } from './runtime-limits.ts';
import { TaskManagerService } from './task-manager-service.ts';

const JOB = jobId('1'.repeat(32));
const MANAGER = taskManagerId('tm');
const SLOTS = [slotId('tm-0'), slotId('tm-1')];

let directory: string;
let endAll: () => Promise<void>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'code-'));
});

afterEach(async () => {
  await endAll();
  await rm(directory, { recursive: true, force: true });
});

function bundle(text: string) {
  const reading = bundleOf({ 'steps/a.ts': text, 'b.ts': 'export const b = 1;' });
  if (reading.kind === 'refused') throw new Error(reading.reason);
  return reading.bundle;
}

/** A TaskManager with fake threads, and a leader that sends what `answer` says. */
function world(answer: (hash: string) => Promise<string>) {
  const rpc = inProcessTransport();
  const asked: string[] = [];
  const told: TaskStateChange[] = [];
  rpc.serve('job-code', 'job-code', {
    async readCode({ hash }) {
      asked.push(hash);
      return { text: await answer(hash) };
    },
  });
  const heard = async (): Promise<void> => undefined;
  rpc.serve('job-master', `jobmaster/${JOB}`, {
    taskStateChanged: async (change) => void told.push(change),
    acknowledgeCheckpoint: heard,
    declineCheckpoint: heard,
    checkpointCommitted: heard,
    taskEnded: heard,
    reportProgress: heard,
  });
  const threads = new FakeSlotThreads();
  const service = new TaskManagerService({
    taskManagerId: MANAGER,
    rpc,
    ports: nodePorts,
    workerHost: threads,
    slotIds: SLOTS,
    slotMemoryBytes: 2 ** 24,
    slotStateBytes: null,
    workDirectory: directory,
    copies: null,
    rack: null,
    limits: DEFAULT_LIMITS,
    dataPorts: null,
  });
  /** Its task has come to its end. */
  const free = async (slot = SLOTS[0] ?? fail()): Promise<void> => {
    const thread = threads.started.findLast(({ start, hasExited }) => start.slotId === slot && !hasExited);
    thread?.says({ kind: 'state', attemptId: attemptOf(slot), state: 'FINISHED', error: null });
    await service.freeSlot({ epoch: 1, jobId: JOB, slotId: slot });
  };
  endAll = async () => {
    for (const slot of SLOTS) await free(slot);
  };
  return { service, threads, asked, told, free, deploy: (slice: SliceDescriptor) => service.deploy(slice) };
}

function fail(): never {
  throw new Error('it is not there');
}

const attemptOf = (slot: string) => attemptId(subtaskId(vertexId(slot), 0), 0);

function sliceWith(hash: string, slot = SLOTS[0] ?? fail()): SliceDescriptor {
  const code = { module: codeUrl({ hash, file: 'steps/a.ts' }), name: 'A', step: null };
  const node = { kind: 'process', stepId: stepId('step'), code, role: 'process', keys: [], longs: 'number' } as const;
  const schemas = { sides: [], hasEventTime: false, input: testSchema, output: testSchema };
  const vertex = { id: vertexId('v'), name: 'v', parallelism: 1, inputs: [], outputs: [] };
  const task = {
    attemptId: attemptOf(slot),
    vertex: { ...vertex, chain: [{ ...node, ...schemas }] },
    subtaskIndex: 0,
    inputs: [],
    outputs: [],
    errors: { kind: 'fail' },
    restore: null,
  } as const;
  return {
    epoch: 1,
    jobId: JOB,
    attempt: 0,
    jobName: 'job',
    maxParallelism: 1,
    slot: { taskManagerId: MANAGER, slotId: slot, rack: null, host: null, data: null },
    jobMasterAddress: `jobmaster/${JOB}`,
    checkpointing: null,
    tasks: [task],
  };
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise(setImmediate);
  }
}

const deployed = ({ threads }: ReturnType<typeof world>, index: number) =>
  until(() => threads.started[index]?.heard.find((message) => message.kind === 'deploy'));

/** The file that the thread imports. */
function fileOf({ slice }: { readonly slice: SliceDescriptor }): string {
  const [node] = slice.tasks[0]?.vertex.chain ?? [];
  return node?.kind === 'process' ? fileURLToPath(node.code.module) : fail();
}

describe('code that came with a job', () => {
  it('is fetched once for all slots, and is in files before a task starts', async () => {
    const { hash, text } = bundle('export class A {}');
    const manager = world(async () => text);
    for (const slot of SLOTS) await manager.deploy(sliceWith(hash, slot));
    const files = [fileOf(await deployed(manager, 0)), fileOf(await deployed(manager, 1))];
    expect(manager.asked).toEqual([hash]);
    expect(files[0]).toBe(files[1]);
    expect(await readFile(files[0] ?? fail(), 'utf8')).toBe('export class A {}');
    expect(await readFile(join(files[0] ?? fail(), '../../b.ts'), 'utf8')).toBe('export const b = 1;');
  });

  it('stays while a slot uses it, and a while longer', async () => {
    const bundles = Array.from({ length: 12 }, (_, index) => bundle(`export const A = ${index};`));
    const manager = world(async (hash) => bundles.find((each) => each.hash === hash)?.text ?? fail());
    const files: string[] = [];
    for (const [index, { hash }] of bundles.entries()) {
      // The first stays in its slot.
      await manager.deploy(sliceWith(hash, index === 0 ? SLOTS[1] : SLOTS[0]));
      files.push(fileOf(await deployed(manager, index)));
      if (index > 0) await manager.free();
    }
    const there = await Promise.all(files.map(async (file) => (await nodePorts.files.stat(file)) !== null));
    expect(there).toEqual([true, false, false, false, ...Array<boolean>(8).fill(true)]);
    await manager.deploy(sliceWith(bundles[11]?.hash ?? fail()));
    await deployed(manager, 12);
    expect(manager.asked).toHaveLength(12);
  });

  it('that is another than was submitted runs nowhere, and is asked for again', async () => {
    const right = bundle('export class A {}');
    const answers = [bundle('evil()').text, '{}', right.text];
    const manager = world(async () => answers.shift() ?? fail());
    for (const failures of [1, 2]) {
      await manager.deploy(sliceWith(right.hash));
      await until(() => manager.told[failures - 1]);
      await manager.free();
    }
    expect(manager.told).toMatchObject([
      { state: 'FAILED', error: { code: 'MR-TASK-NO-CODE', message: expect.stringContaining('hash') } },
      { state: 'FAILED', error: { code: 'MR-TASK-NO-CODE' } },
    ]);
    expect(manager.threads.started.map((thread) => thread.kinds())).toEqual([['stop'], ['stop']]);
    await manager.deploy(sliceWith(right.hash));
    await deployed(manager, 2);
  });

  it('is not waited for by tasks that are cancelled', async () => {
    const { hash, text } = bundle('export class A {}');
    const sent = Promise.withResolvers<string>();
    const manager = world(() => sent.promise);
    const slice = sliceWith(hash);
    await manager.deploy(slice);
    await manager.service.cancel({ epoch: 1, jobId: JOB, attemptId: slice.tasks[0]?.attemptId ?? fail() });
    await until(() => manager.told.find(({ state }) => state === 'CANCELED'));
    await manager.free();
    sent.resolve(text);
    await manager.deploy(sliceWith(hash));
    await deployed(manager, 1);
    expect(manager.threads.started[0]?.kinds()).toEqual(['stop']);
  });
});
