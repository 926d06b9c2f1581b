import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader } from '../state/byte-reader.ts';
import { ByteWriter } from '../state/byte-writer.ts';
import { decodeUserValue, encodeUserValue } from './user-value-codec.ts';

function encode(value: unknown): Uint8Array {
  const to = new ByteWriter();
  encodeUserValue(value, to);
  return to.written.slice();
}

const roundTrip = (value: unknown): unknown => {
  const from = new ByteReader(encode(value), 's');
  const decoded = decodeUserValue(from);
  expect(from.atEnd).toBe(true);
  return decoded;
};

describe('values that user code keeps', () => {
  it('are read as they were written', () => {
    const kinds = { withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true };
    const values = fc.anything(kinds);
    fc.assert(fc.property(values.filter((value) => value !== undefined), (value) => {
      // Compared as V8 clones them: objects without a prototype have one then.
      expect(roundTrip(value)).toEqual(structuredClone(value));
    }));
    const fields = fc.oneof(fc.double(), fc.string(), fc.bigInt(), fc.constant(null), fc.boolean());
    const flat = fc.dictionary(fc.string(), fields);
    fc.assert(fc.property(flat, (value) => {
      const plain = Object.assign({}, value);
      expect(Object.entries(roundTrip(plain) as object)).toEqual(Object.entries(plain));
    }));
    const odd = roundTrip(JSON.parse('{"__proto__": 5, "a": -0}'));
    expect(Object.entries(odd as object)).toEqual([
      ['__proto__', 5],
      ['a', -0],
    ]);
    const loop: { self?: unknown } = {};
    loop.self = loop;
    expect((roundTrip(loop) as { self: unknown }).self).toMatchObject({ self: {} });
  });

  it('of any bytes are a value or an error of the table', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(0, 1, 2), (bytes, sort) => {
        try {
          decodeUserValue(new ByteReader(new Uint8Array([sort, ...bytes]), 's'));
        } catch (error) {
          expect(error).toMatchObject({ code: 'MR-STATE-INCOMPATIBLE' });
        }
      }),
      { numRuns: 1000 },
    );
  });
});
