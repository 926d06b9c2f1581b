import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from '@jest/globals';

import { nodePorts } from '../../core/node-ports.ts';
import { itIsASpillStore } from '../../testing/index.ts';
import { spillSpace } from './rocks-store.ts';

const root = mkdtempSync(join(tmpdir(), 'millrace-spill-'));
let count = 0;

const spaceAt = (directory: string) =>
  spillSpace({ directory, memoryBytes: 1 << 20, takesCheckpoints: true, ports: nodePorts });

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('a store in RocksDB', () => {
  itIsASpillStore(() => spaceAt(join(root, String(count++))));

  it('finds nothing of an earlier one, and leaves nothing', async () => {
    const directory = join(root, 'again');
    const key = new Uint8Array([0, 1]);
    const first = await spaceAt(directory).open();
    await first.write([{ key, value: new Uint8Array([7]) }]);
    expect(await first.read([key])).toEqual([Buffer.from([7])]);
    await first.close();
    await first.close();
    expect(readdirSync(root)).not.toContain('again');
    const second = await spaceAt(directory).open();
    writeFileSync(join(directory, 'left'), 'by a process that died');
    expect(await second.read([key])).toEqual([null]);
    const third = await spaceAt(join(root, 'other')).open();
    await third.close();
    await second.close();
    expect(readdirSync(root)).not.toContain('again');
  });

  it('scans more entries than come at once', async () => {
    const store = await spaceAt(join(root, 'many')).open();
    const key = (at: number): Uint8Array => new Uint8Array([at >> 8, at & 255]);
    const entries = Array.from({ length: 1500 }, (_, at) => ({ key: key(at), value: new Uint8Array([at & 127]) }));
    await store.write(entries);
    for (const limit of [511, 512, 513, 1024, 2000]) {
      const found = await store.scan(key(1), key(1400), limit);
      expect(found.map((each) => [...each.key, ...each.value])).toEqual(
        entries.slice(1, Math.min(1400, 1 + limit)).map((each) => [...each.key, ...each.value]),
      );
    }
    await store.close();
  });

  it('says where it cannot be', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(spaceAt(join(root, 'file', 'below')).open()).rejects.toMatchObject({ code: 'MR-STATE-SPILL' });
  });
});
