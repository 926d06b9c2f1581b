import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { batchOf, rowSchema, types } from '../../core/index.ts';
import type { Field, OptionValue, SinkSpec, Value } from '../../core/index.ts';
import { nodePorts } from '../../core/node-ports.ts';
import { openReader, readRows, readStep, sourceSpec } from '../source-harness.ts';
import { testContext } from '../test-context.ts';
import { fileSink } from './file-sink.ts';
import { fileSource } from './file-source.ts';

const root = mkdtempSync(join(tmpdir(), 'millrace-file-'));
afterAll(() => rmSync(root, { recursive: true }));
let directories = 0;
function directory(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const path = mkdtempSync(join(root, `${directories++}-`));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

const real = (failOnError = true) => testContext({ files: nodePorts.files, clock: nodePorts.clock }, 0, failOnError);
const SCHEMA: Field[] = [
  { name: 'id', type: types.long },
  { name: 'name', type: types.string },
];
const json = (path: string, more: object = {}) => ({ with: { path, format: 'json', ...more }, schema: SCHEMA });

describe('file source', () => {
  it('reads JSON lines of all files of a glob, with their places', async () => {
    const at = directory({
      'a.jsonl': '{"id":1,"name":"x"}\n\n{"id":2}\r\n',
      'b.jsonl': '{"id":3,"name":"no line feed"}',
      'c.txt': 'not this one',
    });
    const metadata = [
      { name: 'file', key: 'path', type: types.string },
      { name: 'byte', key: 'offset', type: types.long },
    ];
    expect(await readStep(fileSource, { ...json(`${at}/*.jsonl`), metadata }, real())).toEqual([
      [1n, 'x', `${at}/a.jsonl`, 0n],
      [2n, null, `${at}/a.jsonl`, 21n],
      [3n, 'no line feed', `${at}/b.jsonl`, 0n],
    ]);
  });

  it('reads records that lie across chunks, and resumes at every batch', async () => {
    const lines = Array.from({ length: 20_000 }, (_, id) => `{"id":${id},"name":"${'ä'.repeat(id % 50)}"}`);
    const at = directory({ 'big.jsonl': lines.join('\n') });
    const spec = sourceSpec(fileSource, json(join(at, 'big.jsonl')));
    const rows: Value[][] = [];
    let reader = await openReader(fileSource, spec, real());
    while (!reader.isFinished) {
      const batch = await readRows(reader, 1);
      rows.push(...batch);
      const positions = reader.positions();
      await reader.close();
      reader = fileSource.createReader(spec);
      await reader.open(real());
      reader.addSplits(positions);
      reader.noMoreSplits();
      if (batch.length === 0) break;
    }
    await reader.close();
    expect(rows.map(([id]) => Number(id))).toEqual(lines.map((_, id) => id));
    expect(rows[49]).toEqual([49n, 'ä'.repeat(49)]);
  });

  it('leaves bad records to the handler, with file and byte, and goes on', async () => {
    const at = directory({ 'x.jsonl': '{"id":1}\n{"id":"one"}\nno\n{"id":4}\n' });
    const context = real(false);
    expect(await readStep(fileSource, json(`${at}/x.jsonl`), context)).toEqual([[1n, null], [4n, null]]);
    expect(context.failures).toEqual([
      expect.stringMatching(/^in: field `id` is declared long.*\(.*x\.jsonl, byte 9\)$/),
      expect.stringMatching(/^in: the record is no JSON.*\(.*x\.jsonl, byte 22\)$/),
    ]);
  });

  it('says when there is no file, a record is too long, or the file is not the old one', async () => {
    const at = directory({ 'x.jsonl': `{"id":1}\n{"name":"${'x'.repeat(2000)}"}\n` });
    await expect(readStep(fileSource, json(`${at}/*.json`), real())).rejects.toMatchObject(
      { code: 'MR-FILE-NOT-FOUND' });
    await expect(readStep(fileSource, json(`${at}/x.jsonl`, { maxRecord: '1KB' }), real())).rejects.toThrow(
      /x\.jsonl: the record at byte 9 is longer than 1000 bytes/,
    );
    const spec = sourceSpec(fileSource, json(`${at}/x.jsonl`));
    const reader = await openReader(fileSource, spec, real());
    await readRows(reader);
    const positions = reader.positions();
    await reader.close();
    writeFileSync(join(at, 'x.jsonl'), '{}');
    const second = fileSource.createReader(spec);
    await second.open(real());
    second.addSplits(positions);
    second.noMoreSplits();
    await expect(readRows(second)).rejects.toMatchObject({ code: 'MR-FILE-CHANGED' });
    await second.close();
  });

  it('follows files: lines appended, files replaced, unfinished lines waited for', async () => {
    const at = directory({ 'x.jsonl': '{"id":1}\n{"id":' });
    const spec = sourceSpec(fileSource, json(`${at}/*.jsonl`, { follow: true, pollInterval: '1ms' }));
    const context = real();
    const enumerator = fileSource.createEnumerator(spec, context);
    const reader = await openReader(fileSource, spec, context);
    expect(await readRows(reader, 1)).toEqual([[1n, null]]);
    appendFileSync(join(at, 'x.jsonl'), '2}\n');
    expect(await readRows(reader, 1)).toEqual([[2n, null]]);
    writeFileSync(join(at, 'new'), '{"id":3}\n');
    renameSync(join(at, 'new'), join(at, 'x.jsonl'));
    expect(await readRows(reader, 1)).toEqual([[3n, null]]);
    expect(reader.isFinished).toBe(false);
    await enumerator.discover();
    writeFileSync(join(at, 'y.jsonl'), '{"id":4}\n');
    reader.addSplits(await enumerator.discover());
    expect(await readRows(reader, 1)).toEqual([[4n, null]]);
    await reader.close();
  });

  it('reads CSV with a header, quoted line breaks, and resumes behind the header', async () => {
    const text = 'name,extra,id\r\n"a ""b""\nc",1,7\r\n,2,8\r\n"",3,9\r\n';
    const at = directory({ 'x.csv': text });
    const step = { with: { path: `${at}/x.csv`, format: 'csv', header: true }, schema: SCHEMA };
    const rows = [[7n, 'a "b"\nc'], [8n, null], [9n, '']];
    expect(await readStep(fileSource, step, real())).toEqual(rows);
    const spec = sourceSpec(fileSource, step);
    const reader = fileSource.createReader(spec);
    await reader.open(real());
    const [split] = await fileSource.createEnumerator(spec, real()).discover();
    if (split === undefined) throw new Error('no split');
    reader.addSplits([{ ...split, position: { ...split.position, offset: text.indexOf(',2') } }]);
    reader.noMoreSplits();
    expect(await readRows(reader)).toEqual(rows.slice(1));
    await reader.close();
  });

  it('reads hundreds of files with few handles', async () => {
    const at = directory(Object.fromEntries(Array.from({ length: 500 }, (_, id) => [`${id}.jsonl`, `{"id":${id}}`])));
    const rows = await readStep(fileSource, json(`${at}/*.jsonl`), real());
    expect(new Set(rows.map(([id]) => id)).size).toBe(500);
  });
});

const ROWS: Value[][] = [[1n, 'x'], [2n, null], [3n, 'a,"b"\nc'], [4n, '']];

function sinkSpec(path: string, format: string, formatOptions: Record<string, OptionValue> = {},
  overwrite = false): SinkSpec {
  return {
    stepId: 'out', connector: 'file', options: { path, overwrite }, format: { name: format, options: formatOptions },
    input: rowSchema(SCHEMA), changelog: 'append', uniqueKey: [],
  };
}

async function writeRows(spec: SinkSpec, rows: readonly (readonly Value[])[]): Promise<void> {
  const context = real();
  await fileSink.prepare(spec, context);
  const writer = fileSink.createWriter(spec);
  await writer.open(context);
  const batch = batchOf(spec.input, rows);
  for (let row = 0; row < batch.rowCount; ) {
    row = writer.write(batch, row);
    if (row < batch.rowCount) await writer.writable();
  }
  await writer.flush();
  await writer.close();
}

const CSV_OPTIONS = { delimiter: ',', quote: '"', header: true, nullLiteral: '', missingColumns: 'fail' };

describe('file sink', () => {
  it('writes JSON lines that the source reads back', async () => {
    const at = join(directory(), 'made/by sink [1]');
    await writeRows(sinkSpec(at, 'json'), ROWS);
    expect(readFileSync(join(at, 'part-0.jsonl'), 'utf8').split('\n')[1]).toBe('{"id":2,"name":null}');
    expect(await readStep(fileSource, json(join(at, 'part-0.jsonl')), real())).toEqual(ROWS);
  });

  it('writes CSV that the source reads back', async () => {
    const at = join(directory(), 'out');
    await writeRows(sinkSpec(at, 'csv', CSV_OPTIONS), ROWS);
    expect(readFileSync(join(at, 'part-0.csv'), 'utf8')).toBe('id,name\n1,x\n2,\n3,"a,""b""\nc"\n4,""\n');
    const step = { with: { path: `${at}/part-0.csv`, format: 'csv', header: true }, schema: SCHEMA };
    expect(await readStep(fileSource, step, real())).toEqual(ROWS);
  });

  it('overwrites only when told to', async () => {
    const at = directory({ 'part-0.jsonl': 'old', 'part-7.jsonl': 'old', 'other': 'kept' });
    await expect(writeRows(sinkSpec(at, 'json'), ROWS)).rejects.toMatchObject({ code: 'MR-FILE-EXISTS' });
    expect(readFileSync(join(at, 'part-0.jsonl'), 'utf8')).toBe('old');
    await writeRows(sinkSpec(at, 'json', {}, true), ROWS);
    expect(readdirSync(at).sort()).toEqual(['other', 'part-0.jsonl']);
  });

  it('writes more than a chunk, in order', async () => {
    const at = join(directory(), 'out');
    const rows = Array.from({ length: 30_000 }, (_, id): Value[] => [BigInt(id), 'x'.repeat(id % 100)]);
    await writeRows(sinkSpec(at, 'json'), rows);
    expect(await readStep(fileSource, json(`${at}/part-0.jsonl`), real())).toEqual(rows);
  });

  it('says which file it cannot write', async () => {
    const at = directory({ file: '' });
    await expect(writeRows(sinkSpec(join(at, 'file'), 'json'), ROWS)).rejects.toMatchObject({ code: 'MR-FILE-WRITE' });
  });
});
