import { describe, expect, it } from '@jest/globals';
import { batchOf, RowKind, rowSchema, types } from '../../core/index.ts';
import type { ColumnBatch, Field, SinkSpec, Value } from '../../core/index.ts';
import { blackholeSink } from '../blackhole/blackhole-sink.ts';
import { testContext } from '../test-context.ts';
import { printSink } from './print-sink.ts';

const FIELDS: Field[] = [
  { name: 'word', type: types.string },
  { name: 'ratio', type: types.double },
];

function specOf(options: { prefix?: string; rowKind?: boolean } = {}, fields: readonly Field[] = FIELDS): SinkSpec {
  return {
    stepId: 'out', connector: 'print', options: { prefix: '', rowKind: false, ...options }, format: null,
    input: rowSchema(fields), changelog: 'append', uniqueKey: [],
  };
}

/** What is printed for a batch, written in as many goes as it takes. */
async function printed(spec: SinkSpec, batch: ColumnBatch, failOnError = true) {
  const chunks: Uint8Array[] = [];
  const streams = {
    writeOutput: (bytes: Uint8Array) => Promise.resolve().then(() => void chunks.push(bytes.slice())),
    writeError: () => undefined,
  };
  const context = testContext({ streams }, 0, failOnError);
  const writer = printSink.createWriter(spec);
  await writer.open(context);
  let waits = 0;
  for (let row = 0; row < batch.rowCount; ) {
    row = writer.write(batch, row);
    if (row < batch.rowCount) {
      waits++;
      await writer.writable();
    }
  }
  await writer.flush();
  await writer.close();
  return { text: Buffer.concat(chunks).toString(), context, waits };
}

const batch = (rows: Value[][], fields = FIELDS): ColumnBatch => batchOf(rowSchema(fields), rows);

describe('print', () => {
  it('writes a line of JSON per row', async () => {
    const { text, context } = await printed(specOf(), batch([['a', 1.5], [null, null]]));
    expect(text).toBe('{"word":"a","ratio":1.5}\n{"word":null,"ratio":null}\n');
    expect(context.counters.get('numRecordsOut')?.value).toBe(2);
    expect(context.counters.get('numBytesOut')?.value).toBe(text.length);
  });

  it('adds a prefix and the row kind', async () => {
    const rows = batch([['a', 1], ['a', 2], ['b', 3], ['b', 4]]);
    rows.rowKinds = Uint8Array.of(RowKind.updateBefore, RowKind.updateAfter, RowKind.insert, RowKind.delete);
    const { text } = await printed(specOf({ prefix: 'ä> ', rowKind: true }), rows);
    expect(text.split('\n')).toEqual([
      'ä> {"rowKind":"-U","word":"a","ratio":1}',
      'ä> {"rowKind":"+U","word":"a","ratio":2}',
      'ä> {"rowKind":"+I","word":"b","ratio":3}',
      'ä> {"rowKind":"-D","word":"b","ratio":4}',
      '',
    ]);
    expect((await printed(specOf({ rowKind: true }, []), batch([[]], []))).text).toBe('{"rowKind":"+I"}\n');
  });

  it('leaves rows that JSON cannot say to the handler', async () => {
    const { text, context } = await printed(specOf(), batch([['a', NaN], ['b', 2], ['c', Infinity]]), false);
    expect(text).toBe('{"word":"b","ratio":2}\n');
    expect(context.failures).toHaveLength(2);
  });

  it('waits for a slow reader instead of piling up', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i): Value[] => [`word ${i}`, i]);
    const { text, waits } = await printed(specOf(), batch(rows));
    expect(text).toBe(rows.map(([word, ratio]) => `{"word":"${String(word)}","ratio":${String(ratio)}}\n`).join(''));
    expect(waits).toBeGreaterThan(3);
  });

  it('fails where nobody reads any more', async () => {
    const streams = { writeOutput: () => Promise.reject(new Error('write EPIPE')), writeError: () => undefined };
    const writer = printSink.createWriter(specOf());
    await writer.open(testContext({ streams }));
    writer.write(batch([['a', 1]]), 0);
    await expect(writer.flush()).rejects.toMatchObject({ code: 'MR-PRINT-OUTPUT' });
    await expect(writer.writable()).rejects.toMatchObject({ code: 'MR-PRINT-OUTPUT' });
  });

  it('says when rowKind has no place', () => {
    const fields = [...FIELDS, { name: 'rowKind', type: types.string }];
    expect(printSink.check(specOf({ rowKind: true }, fields))).toHaveLength(1);
    expect(printSink.check(specOf({}, fields))).toEqual([]);
  });
});

describe('blackhole', () => {
  it('counts what it drops', async () => {
    const context = testContext();
    const writer = blackholeSink.createWriter(specOf());
    await writer.open(context);
    expect(writer.write(batch([['a', 1], ['b', 2], ['c', 3]]), 1)).toBe(3);
    await writer.flush();
    expect(context.counters.get('numRecordsOut')?.value).toBe(2);
  });
});
