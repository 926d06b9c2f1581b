import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchOf, keyGroupOf, rowSchema, rowsOf, types } from '../../core/index.ts';
import type { StateSnapshot } from '../../core/index.ts';
import { ByteReader } from './byte-reader.ts';
import { copyValue } from './column-values.ts';
import { MARKED } from './row-chains.ts';
import { RowLog } from './row-log.ts';
import { ScratchRow } from './scratch-row.ts';

const ROW = rowSchema([
  { name: 'key', type: types.string },
  { name: 'number', type: types.long },
]);
const DUE_AFTER_MS = 10;
const KEY_GROUPS = 8;

interface Kept {
  readonly key: number;
  readonly timeMs: number;
  isMarked: boolean;
}

/** Two keys have one hash, and all of them few places. */
const hashOf = (key: number): number => Math.imul(key >> 1, 0x9e3779b1);

/** A log, and what should be in it: rows by their number. */
class Checked {
  readonly #log: RowLog;
  readonly #waits: boolean;
  readonly #kept = new Map<number, Kept>();
  #ids = new Map<number, number>();
  #count = 0;
  #freedMs = -Infinity;
  #snapshot: { readonly taken: StateSnapshot; readonly expected: readonly string[] } | null = null;

  constructor(waits: boolean) {
    this.#waits = waits;
    const types = ROW.fields.map(({ type }) => type);
    this.#log = new RowLog(1, types, [0], { dueMs: (timeMs) => timeMs + DUE_AFTER_MS, waits });
  }

  /** Every second row of a batch where `isList`, else all. */
  append(rows: readonly { readonly key: number; readonly timeMs: number }[], isList: boolean): void {
    const numbers = rows.map((_, index) => this.#count + index);
    const batch = batchOf(
      ROW,
      rows.map(({ key }, index) => [`key ${key}`, BigInt(numbers[index] as number)]),
    );
    const times = Float64Array.from(rows, ({ timeMs }) => timeMs);
    const hashes = Int32Array.from(rows, ({ key }) => hashOf(key));
    const taken = rows.flatMap((_, index) => (isList && index % 2 === 0 ? [] : [index]));
    const ids = new Int32Array(rows.length);
    this.#log.append(batch.columns, times, hashes, isList ? Int32Array.from(taken) : null, taken.length, ids);
    for (const index of taken) {
      const number = numbers[index] as number;
      const { key, timeMs } = rows[index] as (typeof rows)[number];
      this.#kept.set(number, { key, timeMs, isMarked: false });
      this.#ids.set(number, ids[index] as number);
    }
    this.#count += rows.length;
  }

  /** The ids of the key's rows, by what the log finds. */
  find(key: number): Map<number, number> {
    const log = this.#log;
    const row = batchOf(ROW, [[`key ${key}`, 0n]]);
    const found = new Map<number, number>();
    for (let id = log.first(hashOf(key)); id >= 0; id = log.next(id)) {
      if (!log.hasKey(id, row.columns.slice(0, 1), 0)) continue;
      const output = batchOf(ROW, [['', 0n]]);
      log.writeAll(id, output.columns, 0, 0);
      const [[text, number]] = rowsOf(output) as [[string, bigint]];
      expect(text).toBe(`key ${key}`);
      expect(found.has(Number(number))).toBe(false);
      found.set(Number(number), id);
      const kept = this.#kept.get(Number(number));
      if (kept === undefined && !this.#waits) continue;
      expect(log.timeOf(id)).toBe(kept?.timeMs);
      expect(log.isMarked(id)).toBe(kept?.isMarked);
    }
    const expected = [...this.#kept].flatMap(([number, kept]) => (kept.key === key ? [number] : []));
    for (const number of expected) expect(found.has(number)).toBe(true);
    return found;
  }

  /** Some rows of the key are marked, others removed. */
  change(key: number, share: number): void {
    for (const [number, id] of this.find(key)) {
      const kept = this.#kept.get(number);
      if (kept === undefined) continue;
      if (number % 3 < share) {
        this.#log.remove(id);
        this.#kept.delete(number);
      } else {
        this.#log.mark(id);
        kept.isMarked = true;
      }
    }
  }

  free(untilMs: number, room: number): void {
    this.#freedMs = Math.max(this.#freedMs, untilMs);
    const due = [...this.#kept].filter(([, { timeMs }]) => timeMs + DUE_AFTER_MS < untilMs);
    const waiting = due.flatMap(([number, { isMarked }]) => (isMarked ? [] : [number]));
    const left: number[] = [];
    let free = room;
    const leave = (id: number, dueMs: number): boolean => {
      if (free-- <= 0) return false;
      const output = batchOf(ROW, [['', 0n]]);
      this.#log.write(id, 1, output.columns[1] as (typeof output.columns)[number], 0);
      const number = Number((rowsOf(output) as [[string, bigint]])[0][1]);
      expect(dueMs).toBe((this.#kept.get(number)?.timeMs ?? NaN) + DUE_AFTER_MS);
      left.push(number);
      return true;
    };
    while (!this.#log.free(untilMs, leave)) free = room;
    expect(left.sort((a, b) => a - b)).toEqual(this.#waits ? waiting : []);
    for (const [number] of due) this.#kept.delete(number);
  }

  /** Begins a snapshot, or ends the one that was begun: it has what there was then. */
  snapshot(): void {
    if (this.#snapshot === null) {
      const expected = [...this.#kept].map(([number, { key, timeMs, isMarked }]) =>
        [`key ${key}`, number, timeMs, isMarked].join(),
      );
      this.#snapshot = { taken: this.#log.snapshots.take(KEY_GROUPS), expected };
      return;
    }
    const { taken, expected } = this.#snapshot;
    this.#snapshot = null;
    const written = new Set<string>();
    for (let chunk = taken.next(); chunk !== null; chunk = taken.next()) {
      const from = new ByteReader(chunk.bytes, 'step');
      while (!from.atEnd) {
        const sort = from.byte();
        expect(sort & ~MARKED).toBe(1);
        const timeMs = Number(from.integer());
        const row = new ScratchRow(ROW, [0]);
        row.read(from);
        const batch = batchOf(ROW, [['', 0n]]);
        row.columns.forEach((column, index) => {
          copyValue(column, 0, batch.columns[index] as typeof column, 0);
        });
        const [[key, number]] = rowsOf(batch) as [[string, bigint]];
        expect(keyGroupOf(hashOf(Number(key.slice(4))), KEY_GROUPS)).toBe(chunk.keyGroup);
        const text = [key, number, timeMs, (sort & MARKED) !== 0].join();
        expect(written.has(text)).toBe(false);
        written.add(text);
      }
    }
    taken.release();
    for (const text of expected) expect(written.has(text)).toBe(true);
    if (this.#waits) expect(written.size).toBe(expected.length);
  }

  /** Everything is due: nothing may be left, and what is held is no more than a few segments. */
  end(): void {
    if (this.#snapshot !== null) this.snapshot();
    this.free(Infinity, 100);
    expect(this.#kept.size).toBe(0);
    this.snapshot();
    expect(this.#snapshot).toMatchObject({ expected: [] });
    this.snapshot();
  }

  get sizeBytes(): number {
    return this.#log.sizeBytes;
  }
}

const upTo = (max: number) => fc.integer({ min: 0, max });
const lateArbitrary = fc.oneof({ weight: 30, arbitrary: upTo(30) }, { weight: 1, arbitrary: fc.constant(-5000) });
const rowsArbitrary = fc.array(fc.record({ key: upTo(40), late: lateArbitrary }), { maxLength: 700, size: 'max' });
const stepArbitrary = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ rows: rowsArbitrary, isList: fc.boolean(), stayMs: fc.constantFrom(0, 0, 0, 0, 300) }),
  },
  { weight: 4, arbitrary: fc.record({ keys: fc.array(upTo(41), { maxLength: 30 }) }) },
  { weight: 2, arbitrary: fc.record({ change: upTo(40), share: upTo(3) }) },
  { weight: 3, arbitrary: fc.record({ advance: upTo(60), room: fc.integer({ min: 1, max: 400 }) }) },
  { weight: 1, arbitrary: fc.constant('snapshot' as const) },
);

describe('RowLog', () => {
  it.each([true, false])('has what was kept and is not due, whatever comes in between (rows wait: %s)', (waits) => {
    fc.assert(
      fc.property(fc.array(stepArbitrary, { maxLength: 60, size: 'max' }), (steps) => {
        const checked = new Checked(waits);
        let nowMs = 0;
        for (const step of steps) {
          if (step === 'snapshot') checked.snapshot();
          else if ('rows' in step) {
            const rows = step.rows.map(({ key, late }) => ({ key, timeMs: nowMs - late + step.stayMs }));
            checked.append(rows.filter(({ timeMs }) => timeMs + DUE_AFTER_MS >= nowMs), step.isList);
          } else if ('keys' in step) for (const key of step.keys) checked.find(key);
          else if ('change' in step) checked.change(step.change, step.share);
          else checked.free((nowMs += step.advance), step.room);
        }
        checked.end();
      }),
      { numRuns: 25 },
    );
  });

  it('forgets segments behind one whose rows stay, but not while a snapshot has their numbers', () => {
    const checked = new Checked(true);
    checked.append(
      Array.from({ length: 256 }, (_, i) => ({ key: i % 40, timeMs: 1e9 })),
      false,
    );
    let most = 0;
    for (let round = 0; round < 300; round++) {
      checked.append(
        Array.from({ length: 300 }, (_, i) => ({ key: i % 40, timeMs: round * 20 })),
        false,
      );
      checked.find(round % 40);
      if (round % 10 === 3 || round % 10 === 8) checked.snapshot();
      checked.free(round * 20 + 11, 1000);
      if (round === 100) most = checked.sizeBytes;
    }
    expect(checked.sizeBytes).toBeLessThanOrEqual(most);
    checked.end();
  });

  it('puts older ones of very many rows into chains before anybody asks', () => {
    const checked = new Checked(false);
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ key: i % 10_000, timeMs: 0 }));
    for (let round = 0; round < 20; round++) {
      checked.append(rows, round % 2 === 0);
      if (round === 12) checked.find(5000);
    }
    for (const key of [0, 1, 4999, 5000, 9999, 10_000]) checked.find(key);
    checked.free(20, 1);
    checked.append(rows.slice(0, 10), false);
    for (const key of [0, 9, 10]) checked.find(key);
    checked.end();
  });

  it('does not keep a segment for a few rows that stay, nor grow with what has gone', () => {
    const checked = new Checked(false);
    let most = 0;
    for (let round = 0; round < 400; round++) {
      const rows = Array.from({ length: 1000 }, (_, i) => ({ key: i % 40, timeMs: round + (i === 500 ? 1e9 : 0) }));
      checked.append(rows, false);
      checked.free(round, 1);
      if (round % 7 === 0) checked.find(round % 40);
      if (round === 100) most = checked.sizeBytes;
    }
    expect(checked.sizeBytes).toBeLessThanOrEqual(most);
    checked.end();
  });
});
