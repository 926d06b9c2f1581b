import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, jest } from '@jest/globals';

import { listServices } from '../../scripts/services/index.ts';
import { startCommand } from './run-millrace.ts';

jest.setTimeout(180_000);

async function demoServices(): Promise<string[]> {
  return (await listServices()).map(({ name }) => name).filter((name) => name.startsWith('demo-'));
}

const DEMO = ['--disable-warning=TimeoutNegativeWarning', 'scripts/demo.ts'];

describe('npm run demo', () => {
  it('ends by itself without a terminal, with the right totals in the topic and nothing left over', async () => {
    const { exitCode, errors } = await startCommand(process.execPath, DEMO, { deadlineMs: 120_000 }).ended;
    expect(errors).toContain('running examples/demo/order-totals.yaml');
    expect(errors).toMatch(/FINISHED; orders read 100,000/);
    expect(errors).toContain('they are right');
    expect(exitCode).toBe(0);
    expect(await demoServices()).toEqual([]);
  });

  it('cleans up when it is stopped', async () => {
    const demo = startCommand(process.execPath, DEMO, { deadlineMs: 120_000 });
    await demo.saying(/orders are there/);
    demo.signal('SIGINT');
    const { exitCode, errors } = await demo.ended;
    expect({ exitCode, errors }).toEqual({ exitCode: 130, errors: expect.stringContaining('cleaning up') });
    expect(await demoServices()).toEqual([]);
  });

  it('says that it uses files where neither Java nor Docker is there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-path-'));
    try {
      symlinkSync(process.execPath, join(folder, 'node'));
      const environment = { PATH: folder, JAVA_HOME: '' };
      const { exitCode, errors } = await startCommand(process.execPath, [...DEMO, '--once'], { environment }).ended;
      expect(errors).toContain('The demo uses files instead');
      expect(errors).toContain('running examples/demo/order-totals-files.yaml');
      expect(errors).toContain('they are right');
      expect(exitCode).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
