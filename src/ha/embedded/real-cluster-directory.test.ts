import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodePorts } from '../../core/node-ports.ts';
import type { HighAvailability, Leadership } from '../high-availability.ts';
import { openEmbeddedHighAvailability } from './embedded-high-availability.ts';

let directory = '';
let children: ChildProcess[] = [];
let opened: HighAvailability[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-cluster-'));
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(opened.map((each) => each.close()));
  [children, opened] = [[], []];
  await rm(directory, { recursive: true, force: true });
});

const source = (path: string): string => JSON.stringify(join(process.cwd(), 'src', path));

/** Announces a TaskManager, leads once it can, publishes, and writes without end; prints each epoch and version. */
function program(id: string): string {
  return `
    const { nodePorts } = await import(${source('core/node-ports.ts')});
    const { openEmbeddedHighAvailability } = await import(${source('ha/embedded/index.ts')});
    const ha = openEmbeddedHighAvailability({ directory: ${JSON.stringify(directory)}, ports: nodePorts });
    const taskManagerId = '${id}';
    ha.announceTaskManager({ taskManagerId, address: '', slotCount: 1, rack: null, host: null });
    ha.contend({ dispatcherId: '${id}', rpcAddress: '', restUrl: '' }, async ({ epoch, store, publish }) => {
      await publish();
      let version = (await store.read('count'))?.version ?? null;
      for (;;) {
        version = await store.write('count', Buffer.from(String(epoch)), version);
        console.log(epoch + ' ' + version);
      }
    });
  `;
}

interface Dispatcher {
  readonly child: ChildProcess;
  /** The epoch and version of the last write that was acknowledged. */
  readonly last: { epoch: number; version: number };
}

function start(id: string): Dispatcher {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program(id)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const last = { epoch: 0, version: -1 };
  createInterface({ input: child.stdout }).on('line', (line) => {
    [last.epoch = 0, last.version = 0] = line.split(' ').map(Number);
  });
  return { child, last };
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const endMs = nodePorts.clock.monotonicMs() + 25_000;
  while (!condition()) {
    if (nodePorts.clock.monotonicMs() > endMs) throw new Error(`waited in vain for ${what}`);
    await nodePorts.clock.sleep(10);
  }
}

describe('processes that share a directory', () => {
  it('lead one after the other, however they end, and lose nothing that was acknowledged', async () => {
    const ha = openEmbeddedHighAvailability({ directory, ports: nodePorts });
    opened.push(ha);
    let leader: string | null = null;
    let taskManagers: readonly string[] = [];
    ha.watchLeader((found) => (leader = found?.dispatcherId ?? null));
    ha.watchTaskManagers((found) => (taskManagers = found.map(({ taskManagerId }) => taskManagerId).sort()));
    const a = start('a');
    await until('a to write', () => a.last.version >= 2);
    const b = start('b');
    await until('both to be seen', () => leader === 'a' && taskManagers.join() === 'a,b');
    // A process that is stopped keeps what it holds.
    a.child.kill('SIGSTOP');
    const stopped = { ...a.last };
    await nodePorts.clock.sleep(500);
    expect(b.last.version).toBe(-1);
    a.child.kill('SIGCONT');
    await until('a to go on', () => a.last.version > stopped.version);
    a.child.kill('SIGKILL');
    await until('b to be all that is seen', () => leader === 'b' && taskManagers.join() === 'b');
    await until('b to write', () => b.last.version > a.last.version);
    expect(b.last.epoch).toBeGreaterThan(a.last.epoch);
    const granted = new Promise<Leadership>((resolve) => {
      ha.contend({ dispatcherId: 'c', rpcAddress: '', restUrl: '' }, resolve);
    });
    b.child.kill('SIGKILL');
    const last = await granted;
    await until('nobody to be seen', () => leader === null && taskManagers.length === 0);
    expect(last.epoch).toBeGreaterThan(b.last.epoch);
    expect((await last.store.read('count'))?.version).toBeGreaterThanOrEqual(b.last.version);
  });
});
