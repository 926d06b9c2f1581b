import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createColumn, hashRows, types } from '../../../core/index.ts';
import type { LongColumn } from '../../../core/index.ts';
import { ByteReader } from '../../state/byte-reader.ts';
import { ByteWriter } from '../../state/byte-writer.ts';
import { DistinctSketch } from './distinct-sketch.ts';
import { QuantileSketch } from './quantile-sketch.ts';

interface Coded {
  encode(to: ByteWriter): void;
  decode(from: ByteReader): void;
}

function bytesOf(sketch: Coded): Uint8Array {
  const writer = new ByteWriter();
  sketch.encode(writer);
  return writer.written.slice();
}

function restored<S extends Coded>(sketch: S, empty: S): S {
  const reader = new ByteReader(bytesOf(sketch), 'step');
  empty.decode(reader);
  expect(reader.atEnd).toBe(true);
  return empty;
}

/** The hashes of longs from..to, as the accumulator makes them. */
function hashesOf(from: number, to: number): { readonly high: Int32Array; readonly low: Int32Array } {
  const column = createColumn(types.long, to - from) as LongColumn;
  for (let value = from; value < to; value++) column.values[value - from] = value;
  const [high, low] = [new Int32Array(to - from), new Int32Array(to - from)];
  hashRows([column], to - from, high);
  hashRows([column, column], to - from, low);
  return { high, low };
}

function distinctOf(from: number, to: number): DistinctSketch {
  const { high, low } = hashesOf(from, to);
  const sketch = new DistinctSketch();
  for (let index = 0; index < high.length; index++) sketch.add(high[index] as number, low[index] as number);
  // A value that has been seen changes nothing.
  for (let again = 0; again < 3 && high.length > 0; again++) sketch.add(high[0] as number, low[0] as number);
  return sketch;
}

describe('a sketch of different values', () => {
  it('is within four standard errors, from none to many, and takes no more than its registers', () => {
    for (const [count, first] of [[0, 0], [1, 7], [10, 0], [100, 5000], [700, 0], [3000, 1], [20_000, 9]] as const) {
      const sketch = distinctOf(first, first + count);
      // Few values are counted by the registers that stay 0, which is more exact.
      expect(Math.abs(sketch.estimate() - count)).toBeLessThanOrEqual(count * 4 * 0.0081);
      expect(sketch.sizeBytes).toBeLessThan(17_000);
    }
    const many = distinctOf(0, 100_000);
    expect(Math.abs(many.estimate() - 100_000) / 100_000).toBeLessThan(4 * 0.0081);
  });

  it('has the standard error that is documented', () => {
    const count = 10_000;
    const errorOf = (i: number) => distinctOf(i * count, (i + 1) * count).estimate() / count - 1;
    const errors = Array.from({ length: 30 }, (_, i) => errorOf(i));
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    const deviation = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
    expect(Math.abs(mean)).toBeLessThan(0.004);
    expect(deviation).toBeLessThan(0.0081 * 1.3);
  });

  it('is the same however its values are cut, merged and restored', () => {
    const cut = fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(cut, fc.boolean(), (cuts, isReversed) => {
        const whole = distinctOf(0, Math.max(...cuts));
        const parts = cuts.map((end, index) => distinctOf(Math.min(cuts[index - 1] ?? 0, end), end));
        const merged = new DistinctSketch();
        for (const part of [distinctOf(0, Math.max(...cuts)), ...(isReversed ? parts.reverse() : parts)]) {
          merged.merge(restored(part, new DistinctSketch()));
        }
        expect(merged.estimate()).toBe(whole.estimate());
        expect(bytesOf(merged)).toEqual(bytesOf(whole));
      }),
      { numRuns: 15 },
    );
  });

  it.each([
    ['a register that is not there', [1, 0x80, 0x80, 1, 3]],
    ['no rank', [1, 5, 0]],
    ['more entries than bytes', [9, 1, 1]],
  ])('refuses %s', (_what, bytes) => {
    const reader = new ByteReader(Uint8Array.from(bytes), 'step');
    expect(() => {
      new DistinctSketch().decode(reader);
    }).toThrow(expect.objectContaining({ code: 'MR-STATE-INCOMPATIBLE' }));
  });
});

const number = fc.oneof(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
  fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity, NaN),
);

function quantilesOf(values: readonly number[]): QuantileSketch {
  const sketch = new QuantileSketch();
  for (const value of values) sketch.add(value);
  return sketch;
}

/** NaN is the greatest. */
const byValue = (a: number, b: number): number => Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || a - b || 0;

describe('a sketch of quantiles', () => {
  it('is at most 1 % away from the exact one, for every share', () => {
    const near = fc.double({ min: 1e-4, max: 1e9, noNaN: true });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const signed = fc.tuple(near, fc.constantFrom(1, -1, 0)).map(([value, sign]) => value * sign);
    const value = fc.oneof(signed, fc.constantFrom(Infinity, -Infinity, NaN));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), share, (values, p) => {
        const exact = [...values].sort(byValue)[Math.floor(p * (values.length - 1))] as number;
        const found = quantilesOf(values).quantile(p);
        if (Number.isFinite(exact)) expect(Math.abs(found - exact)).toBeLessThanOrEqual(Math.abs(exact) * 0.0100001);
        else expect(found).toBe(exact);
      }),
      { numRuns: 300 },
    );
  });

  it('is the same however its values are ordered, cut, merged and restored', () => {
    const parts = fc.array(fc.array(fc.oneof(number, fc.double()), { maxLength: 40 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(parts, (lists) => {
        const whole = quantilesOf(lists.flat());
        const merged = new QuantileSketch();
        for (const list of lists.toReversed()) {
          merged.merge(restored(quantilesOf(list.toReversed()), new QuantileSketch()));
        }
        expect(merged.count).toBe(whole.count);
        expect(bytesOf(merged)).toEqual(bytesOf(whole));
      }),
      { numRuns: 300 },
    );
  });

  it('stays small over the whole range of doubles, and exact at its far end', () => {
    const values: number[] = [];
    for (let exponent = -300; exponent <= 300; exponent++) values.push(10 ** exponent, -(10 ** exponent));
    const sketch = quantilesOf(values);
    expect(sketch.sizeBytes).toBeLessThan(2 * 8 * (2048 + 64) + 200);
    expect(sketch.quantile(1) / 1e300).toBeCloseTo(1, 1);
    expect(sketch.quantile(0) / -1e300).toBeCloseTo(1, 1);
    expect(quantilesOf([Number.MAX_VALUE]).quantile(0.5)).toBeGreaterThan(1.7e308);
    expect(quantilesOf([Number.MIN_VALUE]).quantile(0.5)).toBeLessThan(1e-322);
  });

  it('refuses a bin that is not there', () => {
    const reader = new ByteReader(Uint8Array.from([0, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 1, 0]), 'step');
    expect(() => {
      new QuantileSketch().decode(reader);
    }).toThrow(expect.objectContaining({ code: 'MR-STATE-INCOMPATIBLE' }));
  });
});
