/* No engine runs where most tests do, so a stand-in for the docker command records how it is called. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { launchBroker } from './kafka.ts';
import { isRunning, stopHandle } from './handles.ts';
import { chooseRuntime } from './tools.ts';
import type { BrokerState, ServicesState } from './state.ts';

const directory = mkdtempSync(join(tmpdir(), 'millrace-docker-'));
const bin = join(directory, 'bin');
const calls = join(directory, 'calls');
const saved = { PATH: process.env['PATH'], MILLRACE_CACHE: process.env['MILLRACE_CACHE'] };

function program(name: string, script: string): void {
  const file = join(bin, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

beforeAll(() => {
  mkdirSync(bin, { recursive: true });
  process.env['PATH'] = bin;
  process.env['MILLRACE_CACHE'] = join(directory, 'cache');
});

afterAll(() => {
  for (const [name, value] of Object.entries(saved)) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
  rmSync(directory, { recursive: true, force: true });
});

describe('without Java', () => {
  it('one line says what is missing, exit code 2', async () => {
    await expect(chooseRuntime(false)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^[^\n]*need Java 17 or newer with Maven, or a Docker engine[^\n]*$/),
    });
  });

  it('a Docker engine that answers is used', async () => {
    program('docker', `/bin/echo "$@" >> ${calls}; [ "$1" = inspect ] && echo true; exit 0`);
    await expect(chooseRuntime(false)).resolves.toBe('docker');
  });

  it('a broker runs in a container with our configuration, and is removed', async () => {
    const broker: BrokerState = { id: 1, rack: 'a', ports: { plaintext: 1000, controller: 2000 } };
    const state: ServicesState = {
      format: 1,
      name: 'unit',
      runtime: 'docker',
      kafka: '4.1',
      clusterId: 'AAAAAAAAAAAAAAAAAAAAAA',
      settings: {},
      brokers: [broker],
    };
    await launchBroker(state, broker, () => undefined);
    expect(broker.handle).toEqual({ kind: 'container', container: 'millrace-unit-broker-1' });
    if (broker.handle === undefined) return;
    await expect(isRunning(broker.handle)).resolves.toBe(true);
    await stopHandle(broker.handle, 'SIGTERM', 1000);
    const log = readFileSync(calls, 'utf8');
    expect(log).toContain('--network host');
    expect(log).toMatch(/apache\/kafka:4\.1\.1/);
    expect(log).toContain('kafka-storage.sh');
    expect(log).toContain('rm --force millrace-unit-broker-1');
  });
});
