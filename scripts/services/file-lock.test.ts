import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from '@jest/globals';

import { withFileLock } from './file-lock.ts';
import { identifyProcess } from './processes.ts';

const directory = mkdtempSync(join(tmpdir(), 'millrace-lock-'));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('file lock', () => {
  it('lets one in at a time and leaves no file', async () => {
    const path = join(directory, 'one');
    let inside = 0;
    let most = 0;
    const work = (): Promise<void> =>
      withFileLock(path, async () => {
        inside++;
        most = Math.max(most, inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
      });
    await Promise.all([work(), work(), work(), work()]);
    expect(most).toBe(1);
    expect(existsSync(path)).toBe(false);
  });

  it('takes over from a holder that has ended', async () => {
    const path = join(directory, 'dead');
    writeFileSync(path, JSON.stringify({ pid: process.pid, startedAt: 'an earlier boot', token: 'x' }));
    await expect(withFileLock(path, () => Promise.resolve('done'), { timeoutMs: 5000 })).resolves.toBe('done');
  });

  it('says what it waited for when the holder lives on', async () => {
    const path = join(directory, 'held');
    writeFileSync(path, JSON.stringify({ ...identifyProcess(process.pid), token: 'x' }));
    let waits = 0;
    await expect(
      withFileLock(path, () => Promise.resolve(), { timeoutMs: 200, onWait: () => waits++ }),
    ).rejects.toThrow(`the lock ${path}`);
    expect(waits).toBe(1);
  });
});
