import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BytesStore } from './bytes-store.ts';

const operation = fc.oneof(
  { weight: 3, arbitrary: fc.record({ length: fc.oneof(fc.nat(200), fc.nat(70_000), fc.constant(400_000)) }) },
  { weight: 2, arbitrary: fc.record({ drop: fc.nat() }) },
);

describe('BytesStore', () => {
  it('gives every string back unchanged, whatever was freed in between', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
        const store = new BytesStore();
        const kept: { address: number; bytes: Uint8Array }[] = [];
        operations.forEach((each, number) => {
          if ('length' in each) {
            const bytes = new Uint8Array(each.length).fill(number + 1);
            kept.push({ address: store.store(bytes, 0, bytes.length), bytes });
          } else if (kept.length > 0) {
            const [gone] = kept.splice(each.drop % kept.length, 1);
            if (gone !== undefined) store.free(gone.address, gone.bytes.length);
          }
        });
        for (const { address, bytes } of kept) {
          const at = store.place(address);
          expect(store.equals(address, bytes.length, bytes, 0)).toBe(true);
          if (bytes.length > 0) expect(store.piece(address).length).toBeGreaterThanOrEqual(at + bytes.length);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('uses freed room again', () => {
    const store = new BytesStore();
    const bytes = new Uint8Array(100);
    const fill = () => Array.from({ length: 5000 }, () => store.store(bytes, 0, 100));
    let addresses = fill();
    const { sizeBytes } = store;
    for (let round = 0; round < 20; round++) {
      for (const address of addresses) store.free(address, 100);
      addresses = fill();
      const large = store.store(new Uint8Array(500_000), 0, 500_000);
      store.free(large, 500_000);
    }
    expect(store.sizeBytes).toBe(sizeBytes);
  });
});
