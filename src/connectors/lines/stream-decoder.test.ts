import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ColumnBatch, rowSchema, rowsOf, types } from '../../core/index.ts';
import type { FormatDefinition } from '../../core/index.ts';
import { specOf } from '../formats/format-harness.ts';
import { formatNamed } from '../formats/index.ts';
import { testContext } from '../test-context.ts';
import { CsvFraming, LineFraming, type RecordFraming } from './record-framing.ts';
import { StreamDecoder } from './stream-decoder.ts';

const FIELD = { name: 'line', type: types.bytes };
const raw: FormatDefinition = formatNamed({ name: 'raw' });

/** The records that come of chunks of bytes, and where each begins. */
function recordsOf(chunks: readonly Uint8Array[], framing: RecordFraming): { text: string; at: number }[] {
  const context = testContext();
  const decoder = new StreamDecoder(
    raw.createDecoder(specOf([FIELD]), { write: () => undefined }),
    framing,
    { name: 'stream', maxRecordBytes: 1000, skipsEmpty: false, schema: rowSchema([FIELD]), offset: 0 },
    { value: 0 },
  );
  const batch = new ColumnBatch(rowSchema([FIELD]), 3);
  const records: { text: string; at: number }[] = [];
  const drain = (): void => {
    for (let at = decoder.position; decoder.poll(batch, context.errors); at = decoder.position) {
      const prefix = batch.origin?.describe(batch.originRows?.[0] ?? 0);
      if (batch.rowCount > 0) expect(prefix).toBe(`stream, byte ${at}`);
      for (const [index, [value]] of rowsOf(batch).entries()) {
        const offset = Number(batch.origin?.describe(batch.originRows?.[index] ?? 0).split(' ').at(-1));
        records.push({ text: Buffer.from(value as Uint8Array).toString('latin1'), at: offset });
      }
    }
  };
  for (const chunk of chunks) {
    decoder.push(chunk);
    drain();
  }
  decoder.end();
  drain();
  expect(decoder.isDone).toBe(true);
  expect(decoder.position).toBe(chunks.reduce((sum, { length }) => sum + length, 0));
  return records;
}

const byte = fc.oneof(fc.constantFrom(...Buffer.from('\n\n\r",a')), fc.nat(255));
const chunks = fc.array(fc.array(byte, { maxLength: 30 }).map((bytes) => Uint8Array.from(bytes)), { maxLength: 8 });

/** Text cut at the line feeds for which `ends` says so. */
function cut(text: string, ends: (at: number) => boolean): { text: string; at: number }[] {
  const records: { text: string; at: number }[] = [];
  let start = 0;
  for (let p = 0; p <= text.length; p++) {
    const isEnd = p === text.length ? p > start : text[p] === '\n' && ends(p);
    if (!isEnd) continue;
    records.push({ text: text.slice(start, p).replace(/\r$/, ''), at: start });
    start = p + 1;
  }
  return records;
}

describe('StreamDecoder', () => {
  it('cuts lines wherever chunks end', () => {
    fc.assert(
      fc.property(chunks, (all) => {
        const text = Buffer.concat(all).toString('latin1');
        expect(recordsOf(all, new LineFraming())).toEqual(cut(text, () => true));
      }),
    );
  });

  it('keeps line feeds inside the quotes of CSV', () => {
    fc.assert(
      fc.property(chunks, (all) => {
        const text = Buffer.concat(all).toString('latin1');
        let fieldStart = 0;
        const isOutside = (at: number): boolean => {
          // A quoted field is a quote at its start, and then quotes in pairs until a single one.
          let p = fieldStart;
          let isQuoted = false;
          for (let start = true; p < at; p++) {
            const c = text[p];
            if (isQuoted) {
              if (c === '"' && text[p + 1] === '"' && p + 1 < at) p++;
              else if (c === '"') isQuoted = false;
            } else if (c === '"' && start) isQuoted = true;
            start = c === ',' && !isQuoted;
          }
          if (!isQuoted) fieldStart = at + 1;
          return !isQuoted;
        };
        expect(recordsOf(all, new CsvFraming({ delimiter: 0x2c, quote: 0x22 }))).toEqual(cut(text, isOutside));
      }),
    );
  });
});
