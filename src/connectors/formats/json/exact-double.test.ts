import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nearestDouble } from './exact-double.ts';

const nearest = (text: string): number => {
  const bytes = new TextEncoder().encode(text);
  return nearestDouble(bytes, 0, bytes.length);
};

/** Right or in doubt, never wrong; `true` where it was sure. */
function isSure(text: string): boolean {
  const found = nearest(text);
  if (Number.isNaN(found)) return false;
  if (!Object.is(found, Number(text))) throw new Error(`${text}: ${found}, not ${Number(text)}`);
  return true;
}

describe('nearestDouble', () => {
  it('is right for doubles as they are written', () => {
    let sure = 0;
    let all = 0;
    const plain = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }).map(String);
    fc.assert(
      fc.property(plain.filter((text) => !text.includes('e')), (text) => {
        all++;
        if (isSure(text)) sure++;
      }),
      { numRuns: 5000 },
    );
    expect(sure / all).toBeGreaterThan(0.9);
  });

  it('is right for any digits', () => {
    const digits = fc.stringMatching(/^[1-9]\d{0,18}$/);
    fc.assert(
      fc.property(digits, fc.nat(22), fc.boolean(), (all, places, isNegative) => {
        const padded = all.padStart(places + 1, '0');
        const text = `${padded.slice(0, padded.length - places)}${places === 0 ? '' : `.${padded.slice(-places)}`}`;
        isSure(isNegative ? `-${text}` : text);
      }),
      { numRuns: 20_000 },
    );
  });

  it('is right, or in doubt, half way between two doubles', () => {
    const halves = fc.tuple(fc.bigInt({ min: 2n ** 52n, max: 2n ** 53n - 1n }), fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(-1n, 0n, 1n));
    fc.assert(
      fc.property(halves, ([mantissa, shift, nudge]) => {
        const between = (mantissa * 2n + 1n) * 2n ** BigInt(shift - 1) + nudge;
        if (between.toString().length <= 19) isSure(between.toString());
        const tenths = (mantissa * 2n + 1n) * 5n + nudge;
        if (tenths.toString().length <= 19) isSure(`${tenths / 10n}.${tenths % 10n}`);
      }),
      { numRuns: 20_000 },
    );
  });

  it.each(['0', '-0', '0.0', '123456789012345678', '0.1234567890123456789', '1.7976931348623157'])(
    'reads %s',
    (text) => {
      expect(isSure(text)).toBe(true);
    },
  );

  // Half way between two doubles, an exponent, too many digits, too many places.
  it.each(['9007199254740993', '1e5', '12345678901234567890', '0.12345678901234567890123'])(
    'leaves %s to Number()', (text) => {
    expect(isSure(text)).toBe(false);
  });
});
