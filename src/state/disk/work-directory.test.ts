import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from '@jest/globals';

import { nodePorts } from '../../core/node-ports.ts';
import { openWorkDirectory } from './work-directory.ts';

const parent = mkdtempSync(join(tmpdir(), 'millrace-work-'));

afterAll(() => {
  rmSync(parent, { recursive: true, force: true });
});

describe('a work directory', () => {
  it('is there until it is closed, beside those of others that live', async () => {
    const root = join(parent, 'shared', 'work');
    const first = await openWorkDirectory(root, 'one', nodePorts.files);
    writeFileSync(join(first.path, 'file'), 'x');
    const second = await openWorkDirectory(root, 'two', nodePorts.files);
    expect(existsSync(join(first.path, 'file'))).toBe(true);
    await expect(openWorkDirectory(root, 'two', nodePorts.files)).rejects.toThrow('in use');
    await first.close();
    expect(readdirSync(root).filter((name) => !name.endsWith('.pid')).sort()).toEqual(['two', 'two.lock']);
    await second.close();
    expect(existsSync(root)).toBe(false);
  });

  it('takes away what a process that died has left', async () => {
    const root = join(parent, 'left');
    mkdirSync(join(root, 'dead', 'store'), { recursive: true });
    writeFileSync(join(root, 'dead', 'store', 'CURRENT'), 'x');
    writeFileSync(join(root, 'dead.lock'), '');
    const mine = await openWorkDirectory(root, 'mine', nodePorts.files);
    expect(readdirSync(root).filter((name) => !name.startsWith('mine'))).toEqual([]);
    await mine.close();
  });
});
