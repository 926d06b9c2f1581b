import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { compressSync } from 'snappy';
import {
  buildBatch,
  kafkajsDecode,
  kafkajsEncode,
  markerBatch,
  range,
  readAll,
  readValues,
  record,
  reseal,
  type TestRecord,
} from './batch-fixtures.ts';
import { summarizeRange } from './batch-reader.ts';
import type { CodecName } from './codecs/index.ts';
import { Attribute, Batch } from './layout.ts';

const codecs: readonly CodecName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const anyRecord: fc.Arbitrary<TestRecord> = fc.record({
  key: fc.option(bytes(40), { nil: null }),
  value: fc.option(fc.oneof(bytes(100), bytes(20_000)), { nil: null }),
  timestamp: fc.oneof(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 0, max: 8.64e15 })),
  headers: fc.array(
    fc.record({ name: fc.string({ maxLength: 20, unit: 'grapheme' }), value: fc.option(bytes(30), { nil: null }) }),
    { maxLength: 3 },
  ),
});

function code(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof Error && 'code' in error ? `${String(error.code)} ${error.message}` : String(error);
  }
  return 'nothing was thrown';
}

describe('record batches', () => {
  it('come back as they were written, with every codec and any block size', () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { minLength: 1, maxLength: 40 }),
        fc.constantFrom(...codecs),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 2 ** 40 }),
        (records, compression, capacity, baseOffset) => {
          const batch = buildBatch(records, { compression, baseOffset });
          const read = readAll(range(batch), capacity);
          expect(read.records).toEqual(records.map((each, index) => ({ ...each, offset: baseOffset + index })));
          expect(read.nextOffset).toBe(baseOffset + records.length);
          const values = records.map(({ value }, index) => ({ value, offset: baseOffset + index }));
          expect(readValues(range(batch), capacity)).toEqual(values);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are what kafkajs reads', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), async (records) => {
        const decoded = await kafkajsDecode(buildBatch(records, { baseOffset: 7 }));
        expect(decoded.records.map(({ key, value, timestamp, offset }) => ({ key, value, timestamp, offset }))).toEqual(
          records.map(({ key, value, timestamp }, index) => ({
            key,
            value,
            timestamp: String(timestamp),
            offset: String(index + 7),
          })),
        );
      }),
    );
  });

  it('are read as kafkajs writes them', async () => {
    const simple = anyRecord.map((each) => ({ ...each, headers: [] }));
    await fc.assert(
      fc.asyncProperty(fc.array(simple, { minLength: 1, maxLength: 20 }), async (records) => {
        const read = readAll(range(await kafkajsEncode(records, 100)), 7);
        expect(read.records).toEqual(records.map((each, index) => ({ ...each, offset: 100 + index })));
      }),
    );
  });

  it('share a block when they are small, compressed or not', () => {
    for (const compression of codecs) {
      const batches = Array.from({ length: 50 }, (_, i) =>
        buildBatch([record(`a${i}`), record(`b${i}`)], { compression, baseOffset: i * 2 }),
      );
      const read = readAll(range(Buffer.concat(batches)), 64);
      expect(read.records.map(({ value }) => String(value))).toEqual(
        Array.from({ length: 50 }, (_, i) => [`a${i}`, `b${i}`]).flat(),
      );
    }
  });

  it('mix codecs and large ones in one answer', () => {
    const big = 'x'.repeat(200_000);
    const batches = codecs.flatMap((compression, i) => [
      buildBatch([record(`small ${i}`)], { compression, baseOffset: i * 3 }),
      buildBatch([record(big), record(`last ${i}`)], { compression, baseOffset: i * 3 + 1 }),
    ]);
    const read = readAll(range(Buffer.concat(batches)), 8);
    expect(read.records.map(({ offset }) => offset)).toEqual(Array.from({ length: 15 }, (_, i) => i));
    expect(read.records.map(({ value }) => String(value).slice(0, 7))).toEqual(
      codecs.flatMap((_, i) => [`small ${i}`, 'xxxxxxx', `last ${i}`]),
    );
  });

  it('begin and end at any offset', () => {
    const batches = [0, 1, 2].map((i) =>
      buildBatch(Array.from({ length: 10 }, (_, j) => record(String(i * 10 + j))), { baseOffset: i * 10 }),
    );
    const data = Buffer.concat(batches);
    for (let from = 0; from <= 30; from++) {
      for (let end = from; end <= 31; end++) {
        const read = readAll(range(data, { fromOffset: from, endOffset: end }), 4);
        const expected = Array.from({ length: Math.min(end, 30) - from }, (_, i) => from + i);
        expect(read.records.map(({ offset }) => offset)).toEqual(expected);
        expect(read.nextOffset).toBe(Math.min(end, 30));
      }
    }
  });

  it('may have holes where records were compacted away, and a last offset without a record', () => {
    const batch = buildBatch([record('a'), record('b')], { baseOffset: 5 });
    batch.writeInt32BE(9, Batch.lastOffsetDelta);
    const read = readAll(range(reseal(batch)));
    expect(read.records.map(({ offset }) => offset)).toEqual([5, 6]);
    expect(read.nextOffset).toBe(15);
  });

  it('leave out what is cut short at the end', () => {
    const data = Buffer.concat([buildBatch([record('a')]), buildBatch([record('b')], { baseOffset: 1 })]);
    for (let end = data.length - 1; end >= data.length / 2; end--) {
      const read = readAll(range(data, { end }));
      expect(read.records.map(({ value }) => String(value))).toEqual(['a']);
      expect(summarizeRange(data, 0, end)).toEqual({ behind: 1, isBroken: false });
    }
    expect(summarizeRange(data, 0, data.length)).toEqual({ behind: 2, isBroken: false });
  });

  it('carry the broker\'s time where the topic wants it', () => {
    const batch = buildBatch([record('a'), record('b', { timestamp: 1_700_000_005_000 })]);
    batch.writeInt16BE(Attribute.logAppendTime, Batch.attributes);
    batch.writeBigInt64BE(1_800_000_000_000n, Batch.maxTimestamp);
    const read = readAll(range(reseal(batch)));
    expect(read.records.map(({ timestamp }) => timestamp)).toEqual([1_800_000_000_000, 1_800_000_000_000]);
  });

  it('have no time where it is outside the range of a timestamp', () => {
    const batch = buildBatch([record('a', { timestamp: 0 })]);
    batch.writeBigInt64BE(-1n, Batch.baseTimestamp);
    expect(readAll(range(reseal(batch))).records[0]?.timestamp).toBe(-1);
    batch.writeBigInt64BE(2n ** 62n, Batch.baseTimestamp);
    expect(readAll(range(reseal(batch))).records[0]?.timestamp).toBe(-1);
  });

  it('accept raw snappy, as some clients write it', () => {
    const plain = buildBatch([record('hello '.repeat(50))]);
    const compressed = compressSync(plain.subarray(Batch.records));
    const batch = Buffer.concat([plain.subarray(0, Batch.records), compressed]);
    batch.writeInt32BE(batch.length - 12, Batch.length);
    batch.writeInt16BE(2, Batch.attributes);
    expect(String(readAll(range(reseal(batch))).records[0]?.value)).toBe('hello '.repeat(50));
  });
});

describe('read_committed', () => {
  const data = (producerId: bigint, baseOffset: number, value: string) =>
    buildBatch([record(value)], { producerId, baseOffset, isTransactional: true });

  it('leaves out aborted transactions that interleave, in whatever order the broker names them', () => {
    const log = Buffer.concat([
      data(1n, 0, 'aborted 1'),
      data(2n, 1, 'aborted 2'),
      data(3n, 2, 'committed 3'),
      data(1n, 3, 'aborted 1 again'),
      markerBatch(1n, 4, 'abort'),
      data(1n, 5, 'committed 1'),
      data(2n, 6, 'aborted 2 again'),
      markerBatch(2n, 7, 'abort'),
      markerBatch(1n, 8, 'commit'),
      markerBatch(3n, 9, 'commit'),
      data(2n, 10, 'aborted 2, another'),
      markerBatch(2n, 11, 'abort'),
      buildBatch([record('plain')], { baseOffset: 12 }),
    ]);
    const aborted = [
      { producerId: 2n, firstOffset: 10 },
      { producerId: 2n, firstOffset: 1 },
      { producerId: 1n, firstOffset: 0 },
    ];
    const read = readAll(range(log, { aborted }));
    expect(read.records.map(({ value }) => String(value))).toEqual(['committed 3', 'committed 1', 'plain']);
    expect(read.nextOffset).toBe(13);
  });

  it('lets no record of a user end an abort', () => {
    const log = Buffer.concat([
      data(1n, 0, 'aborted'),
      buildBatch([record('x', { key: Buffer.alloc(4) })], { producerId: 1n, baseOffset: 1, isTransactional: true }),
      data(1n, 2, 'aborted too'),
      markerBatch(1n, 3, 'abort'),
      data(1n, 4, 'kept'),
    ]);
    const read = readAll(range(log, { aborted: [{ producerId: 1n, firstOffset: 0 }] }));
    expect(read.records.map(({ value }) => String(value))).toEqual(['kept']);
  });

  it('knows aborts that began before the answer', () => {
    const log = Buffer.concat([data(1n, 50, 'aborted'), markerBatch(1n, 51, 'abort'), data(1n, 52, 'kept')]);
    const read = readAll(range(log, { fromOffset: 50, aborted: [{ producerId: 1n, firstOffset: 3 }] }));
    expect(read.records.map(({ value }) => String(value))).toEqual(['kept']);
  });

  it('is not applied to read_uncommitted, which leaves out markers only', () => {
    const log = Buffer.concat([data(1n, 0, 'a'), markerBatch(1n, 1, 'abort'), data(1n, 2, 'b')]);
    expect(readAll(range(log)).records.map(({ offset }) => offset)).toEqual([0, 2]);
  });

  it('ends exactly where the last offsets are markers', () => {
    const log = Buffer.concat([data(1n, 0, 'a'), markerBatch(1n, 1, 'commit')]);
    const read = readAll(range(log, { aborted: [], endOffset: 2 }));
    expect(read.records.map(({ offset }) => offset)).toEqual([0]);
    expect(read.nextOffset).toBe(2);
  });
});

describe('bytes that are not record batches', () => {
  it('name topic, partition and offset', () => {
    const batch = buildBatch([record('a')], { baseOffset: 42 });
    batch[batch.length - 2] = (batch[batch.length - 2] as number) ^ 1;
    expect(code(() => readAll(range(batch)))).toMatch(
      /^MR-KAFKA-CORRUPT topic orders, partition 3, offset 42: .*checksum is [0-9a-f]{8} instead of [0-9a-f]{8}/,
    );
  });

  it('of old formats and unknown codecs are told apart from corrupt ones', () => {
    const old = buildBatch([record('a')]);
    old[Batch.magic] = 1;
    expect(code(() => readAll(range(old)))).toMatch(/^MR-KAFKA-UNSUPPORTED-MAGIC topic orders, partition 3, offset 0/);
    expect(summarizeRange(old, 0, old.length)).toEqual({ behind: null, isBroken: true });
    const unknown = buildBatch([record('a')]);
    unknown.writeInt16BE(6, Batch.attributes);
    expect(code(() => readAll(range(reseal(unknown))))).toMatch(/^MR-KAFKA-UNKNOWN-CODEC .* codec 6;/);
  });

  it('may not grow without bounds', () => {
    for (const compression of codecs.slice(1)) {
      const bomb = buildBatch([record('\0'.repeat(4 << 20))], { compression });
      expect(bomb.length).toBeLessThan(300_000);
      expect(code(() => readAll(range(bomb)))).toMatch(/^MR-KAFKA-BATCH-TOO-LARGE .* more than 1048576 bytes/);
      expect(readAll(range(bomb, { maxBatchBytes: 8 << 20 })).records).toHaveLength(1);
    }
  });

  it('never crash or hang the reader: whatever the bytes, it ends in records or in an error of the table', () => {
    const seedBatches = codecs.map((compression) =>
      buildBatch(
        Array.from({ length: 20 }, (_, i) =>
          record(`value ${i}`, { key: Buffer.from(`k${i}`), headers: [{ name: 'h', value: Buffer.from('v') }] }),
        ),
        { compression, producerId: 1n },
      ),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...seedBatches),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 30 }),
        (seed, changes, isSealed, capacity) => {
          const bytes = Buffer.from(seed);
          for (const [at, byte] of changes) bytes[Batch.attributes + (at % (bytes.length - Batch.attributes))] = byte;
          if (isSealed) reseal(bytes);
          const outcome = code(
            () => readAll(range(bytes, { aborted: [{ producerId: 1n, firstOffset: 5 }] }), capacity),
          );
          expect(outcome).toMatch(/^(nothing was thrown|MR-KAFKA-(CORRUPT|UNKNOWN-CODEC|BATCH-TOO-LARGE))/);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('may be anything at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        const outcome = code(() => readAll(range(noise)));
        expect(outcome).toMatch(/^(nothing was thrown|MR-KAFKA-(CORRUPT|UNSUPPORTED-MAGIC|UNKNOWN-CODEC))/);
        summarizeRange(noise, 0, noise.length);
      }),
      { numRuns: 3000 },
    );
  });

  it('in a record count are found', () => {
    const batch = buildBatch([record('a'), record('b')]);
    for (const count of [1, 3, 0x7fffffff]) {
      batch.writeInt32BE(count, Batch.recordCount);
      expect(code(() => readAll(range(reseal(batch))))).toMatch(/^MR-KAFKA-CORRUPT/);
    }
  });

  it('in a compressed stream are corrupt, not internal', () => {
    const batch = buildBatch([record('hello')], { compression: 'gzip' });
    const other = gzipSync('hello').subarray(0, 12);
    const cut = Buffer.concat([batch.subarray(0, Batch.records), other]);
    cut.writeInt32BE(cut.length - 12, Batch.length);
    expect(code(() => readAll(range(reseal(cut))))).toMatch(/^MR-KAFKA-CORRUPT .* gzip: /);
  });
});
