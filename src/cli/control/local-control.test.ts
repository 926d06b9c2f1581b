import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { nodePorts } from '../../core/node-ports.ts';
import { cliErrors } from '../errors.ts';
import type { JobControl } from './job-control.ts';
import { remoteControl, serveControl } from './local-control.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'control-'));
  path = join(folder, 'control');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const control: JobControl = {
  status: () => Promise.resolve({ job: 'j', state: 'RUNNING', checkpointId: 3 }),
  savepoint: (to) =>
    to === null ? Promise.reject(cliErrors.create('MR-CLI-USAGE', { problem: 'no' })) : Promise.resolve({ path: to }),
  stop: (savepoint) => {
    const path = savepoint === null ? null : `${String(savepoint.to)}${savepoint.drains ? ', drained' : ''}`;
    return Promise.resolve({ state: 'CANCELED', path });
  },
};

/** What comes back for raw bytes. */
async function raw(text: string): Promise<string> {
  const socket = connect({ path: await nodePorts.files.readText(path) });
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

describe('the control of a job in another process', () => {
  it('passes requests, answers and errors', async () => {
    const server = await serveControl(nodePorts, path, control);
    const remote = remoteControl(nodePorts, path, 'j');
    expect(await remote.status()).toEqual({ job: 'j', state: 'RUNNING', checkpointId: 3 });
    expect(await remote.savepoint('/there')).toEqual({ path: '/there' });
    await expect(remote.savepoint(null)).rejects.toMatchObject({ code: 'MR-CLI-USAGE', message: 'no' });
    expect(await remote.stop({ to: '/here', drains: true })).toEqual({ state: 'CANCELED', path: '/here, drained' });
    expect(await remote.stop({ to: null, drains: false })).toEqual({ state: 'CANCELED', path: 'null' });
    expect(await remote.stop(null)).toEqual({ state: 'CANCELED', path: null });
    await server.close();
  });

  it('is for its user alone, and gone with the job', async () => {
    const server = await serveControl(nodePorts, path, control);
    const socket = await nodePorts.files.readText(path);
    expect((await stat(socket)).mode & 0o777).toBe(0o600);
    await server.close();
    expect(await nodePorts.files.stat(path)).toBeNull();
    await expect(stat(socket)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(remoteControl(nodePorts, path, 'j').status()).rejects.toMatchObject({ code: 'MR-CLI-NOT-RUNNING' });
  });

  it('finds out where the process that left its place has died', async () => {
    await nodePorts.files.writeText(path, join(folder, 'gone'));
    await expect(remoteControl(nodePorts, path, 'j').status()).rejects.toMatchObject({ code: 'MR-CLI-NOT-RUNNING' });
    const server = await serveControl(nodePorts, path, control);
    expect(await remoteControl(nodePorts, path, 'j').status()).toMatchObject({ state: 'RUNNING' });
    await server.close();
  });

  it('refuses what makes no sense, and outlives it', async () => {
    const server = await serveControl(nodePorts, path, control);
    for (const line of ['nonsense', '{}', '{"request":"kill","to":null,"withSavepoint":false}']) {
      expect(JSON.parse(await raw(`${line}\n`))).toMatchObject({ ok: false, error: { code: 'MR-CLI-CONTROL-FAILED' } });
    }
    expect(await raw('x'.repeat(2 * 1024 * 1024)).catch(() => '')).toBe('');
    expect(await remoteControl(nodePorts, path, 'j').status()).toMatchObject({ job: 'j' });
    await server.close();
  });
});
