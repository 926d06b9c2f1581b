import { describe, expect, it } from '@jest/globals';
import { ColumnBatch, emittedSchema, RecordBlock, rowsOf, rowSchema, types } from '../../../core/index.ts';
import type { Field, RecordDecoder, SourceSpec, Value } from '../../../core/index.ts';
import { JsonDecoder } from './json-decoder.ts';

const noMetadata = { write: () => undefined };

function specOf(fields: readonly Field[], more: Partial<SourceSpec> = {}): SourceSpec {
  return {
    stepId: 'in',
    connector: 'test',
    options: {},
    format: { name: 'json', options: {} },
    schema: rowSchema(fields),
    metadata: [],
    projection: fields.map((_, index) => index),
    filters: [],
    errors: { kind: 'fail' },
    ...more,
  };
}

function blockOf(texts: readonly (string | Uint8Array | null)[]): RecordBlock {
  const block = new RecordBlock(Math.max(1, texts.length));
  const parts = texts.map((text) => (typeof text === 'string' ? new TextEncoder().encode(text) : text));
  block.data = new Uint8Array(parts.reduce((sum, part) => sum + (part?.length ?? 0), 0));
  let at = 0;
  parts.forEach((part, index) => {
    block.valueStarts[index] = part === null ? -1 : at;
    if (part !== null) block.data.set(part, at);
    at += part?.length ?? 0;
    block.valueEnds[index] = at;
  });
  block.count = texts.length;
  return block;
}

/** Rows and failures, record by record. */
function decodeAll(decoder: RecordDecoder, spec: SourceSpec, block: RecordBlock): (Value[] | string)[] {
  const results: (Value[] | string)[] = [];
  const batch = new ColumnBatch(emittedSchema(spec), 16);
  const records = new Int32Array(16);
  let record = 0;
  while (record < block.count) {
    batch.reset();
    const next = decoder.decode(block, record, batch, records);
    rowsOf(batch).forEach((row, index) => (results[records[index] as number] = row));
    if (decoder.failure !== null) results[next] = decoder.failure.error.message;
    record = decoder.failure === null ? next : next + 1;
  }
  return results;
}

const FIELDS: Field[] = [
  { name: 'id', type: types.long },
  { name: 'name', type: types.string },
  { name: 'price', type: types.decimal(10, 2) },
  { name: 'ratio', type: types.double },
  { name: 'ok', type: types.boolean },
  { name: 'at', type: types.timestamp },
];

function decode(texts: readonly (string | Uint8Array | null)[], fields = FIELDS, more: Partial<SourceSpec> = {}) {
  const spec = specOf(fields, more);
  return decodeAll(new JsonDecoder(spec, noMetadata), spec, blockOf(texts));
}

describe('JsonDecoder', () => {
  it('reads the declared fields', () => {
    const text = '{"id":7,"name":"Ann","price":12.5,"ratio":0.25,"ok":true,"at":"2026-01-02T03:04:05.678Z"}';
    expect(decode([text, text])).toEqual(
      Array(2).fill([7n, 'Ann', 1250n, 0.25, true, Date.UTC(2026, 0, 2, 3, 4, 5, 678)]),
    );
  });

  it('does not mind order, white space, unknown and missing keys, nulls and tombstones', () => {
    expect(
      decode([
        '{"name":"b","id":1}',
        ' {\n"x" : {"y":[1,{"z":"}"}]} , "ok" : false, "id" : -5 }\t',
        '{"id":null,"name":null}',
        null,
        '{}',
        '{"id":1,"id":2,"name":"x","name":null}',
        '{"\\u0069d":3,"na\\u006de":"esc"}',
      ]),
    ).toEqual([
      [1n, 'b', null, null, null, null],
      [-5n, null, null, null, false, null],
      [null, null, null, null, null, null],
      [null, null, null, null, null, null],
      [null, null, null, null, null, null],
      [2n, null, null, null, null, null],
      [3n, 'esc', null, null, null, null],
    ]);
  });
});
