import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchOf, MAX_WATERMARK_MS, splitId, types } from '../core/index.ts';
import type { ColumnBatch, Split } from '../core/index.ts';
import { SplitWatermarks } from './split-watermarks.ts';

const schema = { fields: [{ name: 'at', type: types.timestamp }] };
const rows = (...times: (number | null)[]): ColumnBatch => batchOf(schema, times.map((time) => [time]));
const split = (name: string, eventTime?: Split['eventTime']): Split => ({
  id: splitId(name),
  position: {},
  racks: [],
  ...(eventTime === undefined ? {} : { eventTime }),
});
const a = splitId('a');
const b = splitId('b');

function watermarks(idleMs: number | null = null, restoredMs = -Infinity): SplitWatermarks {
  return new SplitWatermarks({ column: 0, delayMs: 10, idleMs }, restoredMs);
}

const at = (timestampMs: number, idle = false) => ({ kind: 'watermark', timestampMs, idle });

describe('the watermark of splits', () => {
  it('is the least of their greatest timestamps less the delay, each told once', () => {
    const event = watermarks();
    event.addSplits([split('a'), split('b')]);
    event.stamp(rows(100, 90), a);
    expect(event.next()).toBeNull();
    event.stamp(rows(70), b);
    expect(event.next()).toEqual(at(60));
    expect(event.next()).toBeNull();
    event.stamp(rows(80), b);
    event.stamp(rows(10), a);
    expect(event.next()).toEqual(at(70));
  });

  it('gives every row its time, and NaN where it has none', () => {
    const event = watermarks();
    event.addSplits([split('a')]);
    const whole = rows(5, 3);
    event.stamp(whole, a);
    expect([...(whole.timestamps ?? [])].slice(0, 2)).toEqual([5, 3]);
    const holed = rows(null, 8, null);
    event.stamp(holed, a);
    expect([...(holed.timestamps ?? [])].slice(0, 3)).toEqual([NaN, 8, NaN]);
    expect(event.next()).toEqual(at(-2));
    event.stamp(rows(null), a);
    expect(event.next()).toBeNull();
  });

  it('waits until it is known which splits there are; without any, it holds nobody back', () => {
    const event = watermarks();
    expect(event.next()).toBeNull();
    event.addSplits([]);
    expect(event.next()).toEqual(at(-Infinity, true));
    event.addSplits([split('a')]);
    expect(event.next()).toEqual(at(-Infinity));
    const other = watermarks();
    other.noMoreSplits();
    expect(other.next()).toEqual(at(-Infinity, true));
  });

  it('does not wait for splits that are silent, until they have rows again', () => {
    const event = watermarks(30);
    event.addSplits([split('a'), split('b')]);
    event.stamp(rows(100), a);
    event.elapse(29);
    expect(event.next()).toBeNull();
    event.stamp(rows(110), a);
    event.elapse(1);
    expect(event.next()).toEqual(at(100));
    event.elapse(29);
    expect(event.next()).toEqual(at(100, true));
    // It never falls back, though this is late.
    event.stamp(rows(50), b);
    expect(event.next()).toEqual(at(100));
    event.stamp(rows(150), b);
    expect(event.next()).toEqual(at(140));
  });

  it('does not wait for splits that have ended', () => {
    const event = watermarks();
    event.addSplits([split('a'), split('b')]);
    event.stamp(rows(100), a);
    event.stamp(rows(20), b);
    expect(event.next()).toEqual(at(10));
    event.removeSplits([b]);
    expect(event.next()).toEqual(at(90));
    event.removeSplits([a]);
    expect(event.next()).toEqual(at(90, true));
  });

  it('is not pulled back by splits that come later', () => {
    const event = watermarks();
    event.addSplits([split('a')]);
    event.stamp(rows(100), a);
    expect(event.next()).toEqual(at(90));
    event.addSplits([split('b')]);
    event.stamp(rows(200), a);
    expect(event.next()).toBeNull();
    event.stamp(rows(105), b);
    expect(event.next()).toEqual(at(95));
  });

  it('goes on after a restart where it was, and says so again', () => {
    const event = watermarks(30, 85);
    expect(event.next()).toEqual(at(85));
    const restored = [
      split('a', { maxTimestampMs: 100, isIdle: false }),
      split('b', { maxTimestampMs: 40, isIdle: true }),
    ];
    event.addSplits(restored);
    expect(event.next()).toEqual(at(90));
    const splits = [split('a'), split('b'), split('c')];
    expect(event.withEventTime(splits)).toEqual([...restored, split('c')]);
  });

  it('is the greatest at the end, once', () => {
    const event = watermarks();
    event.addSplits([split('a')]);
    expect(event.last()).toEqual(at(MAX_WATERMARK_MS));
    expect(event.last()).toBeNull();
    expect(JSON.parse(JSON.stringify(MAX_WATERMARK_MS))).toBe(MAX_WATERMARK_MS);
  });

  it('never falls and never passes a row that is within the delay', () => {
    const step = fc.record({ split: fc.nat(2), time: fc.nat(1000), elapse: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const event = watermarks(null);
        const names = ['x', 'y', 'z'].map((name) => splitId(name));
        event.addSplits(names.map((id) => split(id)));
        const greatest = [-Infinity, -Infinity, -Infinity];
        let last = -Infinity;
        for (const { split: index, time, elapse } of steps) {
          // Rows are at most 10 ms late in their split.
          const row = Math.max(time, (greatest[index] ?? 0) - 10);
          expect(row).toBeGreaterThanOrEqual(last);
          greatest[index] = Math.max(greatest[index] ?? 0, row);
          event.stamp(rows(row), names[index] ?? null);
          event.elapse(elapse);
          const next = event.next();
          if (next === null) continue;
          expect(next.timestampMs).toBeGreaterThan(last);
          last = next.timestampMs;
        }
        expect(last).toBe(Math.min(...greatest) - 10);
      }),
    );
  });
});
