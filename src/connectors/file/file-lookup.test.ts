import { describe, expect, it } from '@jest/globals';
import { parseOptions, rowSchema, types } from '../../core/index.ts';
import type { FileSystem, LookupReader, LookupSpec } from '../../core/index.ts';
import { codeOf, ManualClock, SimulatedDisk } from '../../testing/index.ts';
import { csvOptions } from '../formats/csv/csv-options.ts';
import { testContext } from '../test-context.ts';
import { fileLookup } from './file-lookup.ts';

const keys = rowSchema([{ name: 'id', type: types.long }]);
const schema = rowSchema([{ name: 'name', type: types.string }]);
const signal = new AbortController().signal;

function specOf(given: Record<string, unknown>, csv: Record<string, unknown> | null = null): LookupSpec {
  const { values, problems } = parseOptions(fileLookup.options, { path: '/t', ...given });
  expect(problems).toEqual([]);
  const json = { name: 'json', options: {} };
  const format = csv === null ? json : { name: 'csv', options: parseOptions(csvOptions, csv).values };
  return { stepId: 'l', connector: 'file', options: values, format, keys, schema };
}

interface World {
  readonly reader: LookupReader;
  readonly clock: ManualClock;
  readonly disk: FileSystem;
  find(...ids: bigint[]): Promise<unknown>;
}

async function withTable(text: string, spec: LookupSpec, use: (world: World) => Promise<void>): Promise<void> {
  const disk = new SimulatedDisk().mount().files;
  const clock = new ManualClock(1000);
  await disk.writeText('/t', text);
  const reader = fileLookup.createReader(spec);
  try {
    await reader.open(testContext({ files: disk, clock }));
    await use({ reader, clock, disk, find: (...ids) => reader.lookup(ids.map((id) => [id]), signal) });
  } finally {
    await reader.close();
  }
}

describe('a lookup in a file', () => {
  it('finds all rows of a key, in the order of the file', async () => {
    const text =
      '{"id": 9007199254740993, "name": "a"}\n{"name": "b", "id": 2}\n\n{"id": null}\n{"id": 2, "name": null}';
    await withTable(text, specOf({}), async ({ find }) => {
      expect(await find(2n, 3n, 9007199254740993n)).toEqual([[['b'], [null]], [], [['a']]]);
    });
  });

  it('reads CSV by its header', async () => {
    await withTable('name,id\n"a ""1""",1\nb,2\n', specOf({}, { header: true }), async ({ find }) => {
      expect(await find(1n, 2n)).toEqual([[['a "1"']], [['b']]]);
    });
    expect(fileLookup.check(specOf({}, { header: false })).map(({ path }) => path)).toEqual([['format']]);
  });

  it('reads it again where it has changed, and goes on with what it has while it is gone or broken', async () => {
    await withTable('{"id": 1, "name": "a"}', specOf({ reload: '10s' }), async ({ find, clock, disk }) => {
      await disk.writeText('/t', '{"id": 1, "name": "new"}');
      clock.advanceTo(10_999);
      expect(await find(1n)).toEqual([[['a']]]);
      clock.advanceTo(11_000);
      expect(await Promise.all([find(1n), find(1n)])).toEqual([[[['new']]], [[['new']]]]);
      await disk.remove('/t');
      clock.advanceTo(21_000);
      expect(await find(1n)).toEqual([[['new']]]);
      await disk.writeText('/t', '{"id": 1, "na');
      clock.advanceTo(31_000);
      await expect(find(1n)).rejects.toMatchObject({ code: 'MR-FILE-LOOKUP', scope: 'record', retry: 'backoff' });
      await disk.writeText('/t', '{"id": 1, "name": "whole"}');
      expect(await find(1n)).toEqual([[['whole']]]);
    });
  });

  it.each([
    ['is not there', null, {}, 'MR-FILE-NOT-FOUND'],
    ['is too large', '{"id": 1, "name": "a"}', { maxSize: '10B' }, 'MR-FILE-READ'],
    ['holds something else', '{"id": "x"}', {}, 'MR-FORMAT-TYPE'],
  ])('does not open where the file %s', async (_what, text, given, code) => {
    const disk = new SimulatedDisk().mount().files;
    if (text !== null) await disk.writeText('/t', text);
    const reader = fileLookup.createReader(specOf(given));
    const opened = reader.open(testContext({ files: disk, clock: new ManualClock(0) }));
    expect(await codeOf(opened)).toBe(code);
    await reader.close();
  });
});
