import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createRequire } from 'node:module';
import { murmur2, partitionOfKey } from './murmur2.ts';

const kafkajsMurmur2 = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2') as (
  key: Buffer,
) => number;

const hash = (key: Uint8Array) => murmur2(key, 0, key.length);

describe('murmur2', () => {
  // The vectors of Kafka's own UtilsTest.testMurmur2.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('of %s is %d, as in Java', (key, expected) => {
    expect(hash(Buffer.from(key))).toBe(expected);
  });

  it('is kafkajs\'s for any key, wherever it lies', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat(5), (key, offset) => {
        const data = new Uint8Array(offset + key.length + 3).fill(255);
        data.set(key, offset);
        expect(murmur2(data, offset, offset + key.length)).toBe(kafkajsMurmur2(Buffer.from(key)) | 0);
      }),
    );
  });

  it('gives partitions as Kafka\'s toPositive(murmur2) % n', () => {
    const key = Buffer.from('foobar');
    expect(partitionOfKey(key, 0, key.length, 7)).toBe((-790332482 & 0x7fffffff) % 7);
  });
});
