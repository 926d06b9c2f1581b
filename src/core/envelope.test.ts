import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { damages } from '../testing/index.ts';
import { crc32c } from './crc32c.ts';
import { ENVELOPE_HEADER_BYTES, ENVELOPE_TRAILER_BYTES, openEnvelope, sealEnvelope } from './envelope.ts';

const KIND = { magic: 'TEST', version: 3 };
const bodies = fc.uint8Array({ maxLength: 60 });

describe('envelope', () => {
  it('gives back what was sealed', () => {
    fc.assert(
      fc.property(bodies, (body) => {
        const opened = openEnvelope(KIND, sealEnvelope(KIND, body));
        expect(opened).toEqual({ kind: 'sound', version: 3, body: Buffer.from(body) });
      }),
    );
  });

  it('finds every flipped bit, every missing byte, and one too many', () => {
    fc.assert(
      fc.property(bodies, (body) => {
        const sealed = sealEnvelope(KIND, body);
        for (const [what, bytes] of damages(sealed)) {
          expect([what, openEnvelope(KIND, bytes).kind]).toEqual([what, 'damaged']);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('finds what is cut off at the beginning', () => {
    fc.assert(
      fc.property(bodies, (body) => {
        const sealed = sealEnvelope(KIND, body);
        for (let from = 1; from <= sealed.length; from++) {
          expect(openEnvelope(KIND, sealed.subarray(from)).kind).toBe('damaged');
        }
      }),
    );
  });

  it('tells a newer version from damage, and takes an older one', () => {
    const newer = sealEnvelope({ ...KIND, version: 4 }, Uint8Array.of(1, 2));
    expect(openEnvelope(KIND, newer)).toEqual({ kind: 'newer', version: 4 });
    const older = sealEnvelope({ ...KIND, version: 2 }, Uint8Array.of(1));
    expect(openEnvelope(KIND, older)).toMatchObject({ kind: 'sound', version: 2 });
    const nothing = sealEnvelope({ ...KIND, version: 0 }, Uint8Array.of(1));
    expect(openEnvelope(KIND, nothing)).toMatchObject({ kind: 'damaged', reason: 'it has version 0' });
  });

  it('does not take a file of another kind', () => {
    const other = sealEnvelope({ magic: 'ELSE', version: 1 }, new Uint8Array(4));
    expect(openEnvelope(KIND, other)).toMatchObject({ kind: 'damaged', reason: 'it is a file of another kind' });
  });

  it('leaves the checksum of the whole file telling one body from another', () => {
    const checksums = Array.from({ length: 200 }, (_, i) => crc32c(sealEnvelope(KIND, Uint8Array.of(i, 7))));
    expect(new Set(checksums).size).toBe(200);
    expect(ENVELOPE_HEADER_BYTES + 2 + ENVELOPE_TRAILER_BYTES).toBe(sealEnvelope(KIND, Uint8Array.of(1, 7)).length);
  });

  // The bytes of version 1 files must never change.
  it('stands as it always did', () => {
    const sealed = sealEnvelope({ magic: 'MRST', version: 1 }, Buffer.from('state'));
    expect(Buffer.from(sealed).toString('hex')).toBe('4d5253540100000073746174650500000000000000934a86f64d52454e');
  });
});
