import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { identifyProcess, isAlive, waitUntil } from '../../scripts/services/index.ts';
import { startMillrace, type RunningCommand } from '../cli/run-millrace.ts';

jest.setTimeout(180_000);

const PATIENCE_MS = 60_000;

/** What `millrace cluster --json` says once all processes are ready. */
interface ReadyCluster {
  readonly rest: readonly string[];
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
}

describe('millrace cluster', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-local-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

  async function start(): Promise<{ readonly command: RunningCommand; readonly ready: ReadyCluster }> {
    const args = ['cluster', '--rest-port', '0', '--taskmanagers', '1', '--data-dir', join(folder, 'data'), '--json'];
    const command = startMillrace(args, { folder, deadlineMs: 150_000 });
    const ready = await command.line(/^\{.*\}$/m);
    return { command, ready: JSON.parse(ready) as ReadyCluster };
  }

  it('serves, and ends its processes with it, however it ends', async () => {
    const { command, ready } = await start();
    expect(ready.processes.map(({ name }) => name)).toEqual(['dispatcher-1', 'taskmanager-1']);
    await waitUntil(
      'the TaskManager to be registered',
      async () => {
        const answer = await fetch(`${ready.rest[0] ?? ''}/v1/taskmanagers`).catch(() => null);
        if (answer?.ok !== true) return undefined;
        const { taskmanagers } = (await answer.json()) as { readonly taskmanagers: readonly unknown[] };
        return taskmanagers.length === 1 ? true : undefined;
      },
      { timeoutMs: PATIENCE_MS },
    );
    const identities = ready.processes.map(({ pid }) => identifyProcess(pid));
    command.signal('SIGKILL');
    await command.ended;
    await waitUntil(
      'its processes to end',
      () => (identities.some((each) => each !== undefined && isAlive(each)) ? undefined : true),
      { timeoutMs: PATIENCE_MS },
    );
    const again = await start();
    again.command.signal('SIGINT');
    expect((await again.command.ended).exitCode).toBe(0);
    expect(again.ready.processes.some(({ pid }) => identifyProcess(pid) !== undefined)).toBe(false);
  });
});
