import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodePorts } from './node-ports.ts';
import type { FileLock, PortReservation } from './ports.ts';

const { files } = nodePorts;
const MODULE = join(process.cwd(), 'src/core/node-ports.ts');

let directory = '';
const ends: (() => Promise<void>)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-files-'));
});

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await rm(directory, { recursive: true, force: true });
});

async function locked(path: string): Promise<FileLock> {
  const result = await files.lock(path);
  if ('heldBy' in result) throw new Error(`${path} is held by ${result.heldBy}`);
  ends.push(() => result.release());
  return result;
}

/** A process of its own that holds the lock until it is killed. */
async function startHolder(path: string): Promise<{ readonly processId: number; kill(): Promise<void> }> {
  const program = `
    const { nodePorts } = await import(${JSON.stringify(MODULE)});
    globalThis.held = await nodePorts.files.lock(${JSON.stringify(path)});
    console.log('heldBy' in held ? 'taken' : 'held');
    setInterval(() => undefined, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  ends.push(kill);
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'held') return { processId: child.pid ?? -1, kill };
    throw new Error(`the other process says ${line}`);
  }
  throw new Error('the other process has ended');
}

describe('locks of files', () => {
  it('are for one owner in a process, and free once they are released', async () => {
    const path = join(directory, 'lock');
    const first = await locked(path);
    expect(await files.lock(path)).toEqual({ heldBy: process.pid });
    expect(await first.isHeld()).toBe(true);
    await first.release();
    await first.release();
    expect(await first.isHeld()).toBe(false);
    expect(await (await locked(path)).isHeld()).toBe(true);
  });

  it('end with the process that a signal has killed', async () => {
    const path = join(directory, 'lock');
    const { processId, kill } = await startHolder(path);
    expect(await files.lock(path)).toEqual({ heldBy: processId });
    await kill();
    expect(await (await locked(path)).isHeld()).toBe(true);
  });

  it('do not go by the number of a process, which another one may bear by now', async () => {
    const path = join(directory, 'lock');
    await writeFile(`${path}.pid`, String(process.ppid));
    expect(await (await locked(path)).isHeld()).toBe(true);
  });

  it('are lost with the file', async () => {
    const path = join(directory, 'lock');
    const first = await locked(path);
    await rename(path, `${path}.old`);
    expect(await first.isHeld()).toBe(false);
    const second = await locked(path);
    expect([await first.isHeld(), await second.isHeld()]).toEqual([false, true]);
  });

  it('say why where there can be none', async () => {
    await expect(files.lock(join(directory, 'missing', 'lock'))).rejects.toThrow('unable to open database file');
  });
});

describe('directories', () => {
  it('are listed, and removed once they are empty', async () => {
    const path = join(directory, 'a');
    await files.removeEmptyDirectory(path);
    await files.makeDirectory(path);
    await files.writeText(join(path, 'b'), '');
    await files.syncDirectory(path);
    await files.removeEmptyDirectory(path);
    expect(await files.list(path)).toEqual(['b']);
    await files.remove(join(path, 'b'));
    await files.removeEmptyDirectory(path);
    expect(await files.list(path)).toEqual([]);
    expect(await files.list(directory)).toEqual([]);
  });

  it('create a file for one only', async () => {
    const path = join(directory, 'file');
    await (await files.open(path, 'create-new')).close();
    await expect(files.open(path, 'create-new')).rejects.toThrow('EEXIST');
  });
});

describe('a port that is held', () => {
  const { network } = nodePorts;
  const hold = async (port: number): Promise<PortReservation> => {
    const held = await network.reservePort?.('127.0.0.1', port);
    if (held === undefined) throw new Error('there are ports');
    ends.push(async () => held.release());
    return held;
  };

  it('belongs to nobody else, hangs up, and can be listened at once it is released', async () => {
    const held = await hold(0);
    await expect(hold(held.port)).rejects.toThrow('EADDRINUSE');
    const call = network.connect('127.0.0.1', held.port, 10_000).then((caller) => caller.read());
    await expect(call).rejects.toThrow('ECONNRESET');
    held.release();
    held.release();
    expect((await hold(held.port)).port).toBe(held.port);
  });
});
