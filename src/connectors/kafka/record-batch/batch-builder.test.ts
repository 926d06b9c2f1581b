import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BatchBuilder } from './batch-builder.ts';
import { codecByName } from './codecs/index.ts';

const NOTHING = new Uint8Array(0);

function appended(timestamps: readonly number[], values: readonly Uint8Array[]): Buffer {
  const builder = new BatchBuilder(Buffer.alloc(1 << 20));
  values.forEach((value, index) => {
    builder.append(timestamps[index] as number, NOTHING, -1, -1, value, 0, value.length, null);
  });
  return Buffer.from(builder.close(codecByName('none')));
}

/** As a writer does: a run of values with the headroom of the last one's header; what is not adopted is appended. */
function adopted(timestamps: readonly number[], values: readonly Uint8Array[], runs: readonly number[]) {
  const builder = new BatchBuilder(Buffer.alloc(1 << 20));
  let first = 0;
  let taken = 0;
  let lastLength = 0;
  for (let run = 0; first < values.length; run++) {
    const rows = values.slice(first, first + (runs[run % runs.length] as number));
    const timestamp = timestamps[first] as number;
    const header = builder.headerSize(timestamp, lastLength);
    const [starts, ends] = [new Int32Array(rows.length), new Int32Array(rows.length)];
    let at = builder.used - 1;
    rows.forEach((value, index) => {
      at += header + 1;
      starts[index] = at;
      builder.data.set(value, at);
      at += value.length;
      ends[index] = at;
    });
    const count = builder.adopt(timestamp, header, starts, ends, rows.length);
    taken += count;
    for (const value of rows.slice(count)) {
      builder.append(timestamp, NOTHING, -1, -1, value, 0, value.length, null);
    }
    lastLength = rows.at(-1)?.length ?? 0;
    first += rows.length;
  }
  return { bytes: Buffer.from(builder.close(codecByName('none'))), taken };
}

describe('BatchBuilder', () => {
  it('makes the same bytes of records that were encoded in place as of copied ones', () => {
    const value = fc.integer({ min: 0, max: 300 }).map((length) => new Uint8Array(length).fill(length));
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 200 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 0, max: 20_000 }),
        (values, runs, stepMs) => {
          // All rows of a run have one time, as they are written together.
          const timestamps: number[] = [];
          for (let run = 0; timestamps.length < values.length; run++) {
            const length = runs[run % runs.length] as number;
            for (let i = 0; i < length; i++) timestamps.push(1_700_000_000_000 + run * stepMs);
          }
          expect(adopted(timestamps, values, runs).bytes.equals(appended(timestamps, values))).toBe(true);
        },
      ),
    );
  });

  it('adopts all records of the size of the last run', () => {
    const values = Array.from({ length: 1000 }, () => new Uint8Array(150));
    expect(adopted(values.map(() => 5), values, [100]).taken).toBe(1000 - 100);
  });
});
