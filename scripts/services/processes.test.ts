import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from '@jest/globals';

import { identifyProcess, isAlive, signalProcess, startDaemon, stopProcess } from './processes.ts';

const directory = mkdtempSync(join(tmpdir(), 'millrace-processes-'));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function startNode(script: string): ReturnType<typeof startDaemon> {
  return startDaemon({
    command: process.execPath,
    args: ['-e', script],
    cwd: directory,
    logFile: join(directory, 'log'),
  });
}

describe('processes', () => {
  it('ends a process that takes SIGTERM', async () => {
    const identity = startNode('setInterval(() => {}, 1000)');
    expect(isAlive(identity)).toBe(true);
    await stopProcess(identity);
    expect(isAlive(identity)).toBe(false);
  });

  it('ends a process that refuses SIGTERM after the grace', async () => {
    const identity = startNode("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)");
    await stopProcess(identity, { graceMs: 300 });
    expect(isAlive(identity)).toBe(false);
  });

  it('ends a frozen process', async () => {
    const identity = startNode('setInterval(() => {}, 1000)');
    signalProcess(identity, 'SIGSTOP');
    await stopProcess(identity);
    expect(isAlive(identity)).toBe(false);
  });

  it('never signals another process that has the same id', () => {
    const self = identifyProcess(process.pid);
    expect(self).toBeDefined();
    const recycled = { pid: process.pid, startedAt: 'before this process' };
    expect(isAlive(recycled)).toBe(false);
    expect(signalProcess(recycled, 'SIGKILL')).toBe(false);
  });

  it('says that a missing program could not be started', () => {
    expect(() =>
      startDaemon({ command: join(directory, 'absent'), args: [], cwd: directory, logFile: join(directory, 'log') }),
    ).toThrow('could not start');
  });
});
