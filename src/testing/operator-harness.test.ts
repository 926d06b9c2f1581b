import { describe, expect, it } from '@jest/globals';
import { ColumnBatch, types } from '../core/index.ts';
import type { Operator, OperatorContext, StateSnapshot } from '../core/index.ts';
import { driveOperatorAllWays, OperatorHarness, sequenceRow, testSchema } from './index.ts';
import { TallyOperator } from './tally-operator.ts';

const rows = (count: number, keys = 5) => Array.from({ length: count }, (_, n) => ({ values: sequenceRow(n, keys) }));
const tally = { create: () => new TallyOperator(), input: testSchema, keys: [[1]] };

/** A tally that forgets to keep what a snapshot has still to give. */
function carelessTally(): Operator {
  const inner = new TallyOperator();
  const { state } = inner;
  const snapshot = (): StateSnapshot => {
    const taken = state.snapshot();
    // Nothing is kept for it from here on.
    taken.release();
    return { next: () => taken.next(), release: () => undefined };
  };
  return {
    open: (context) => inner.open(context),
    process: (batch, fromRow) => inner.process(batch, fromRow),
    finish: () => true,
    close: () => inner.close(),
    state: { ...state, snapshot },
  };
}

describe('driveOperatorAllWays', () => {
  it('restores an operator with state from snapshots, in as many subtasks as before or not', async () => {
    const result = await driveOperatorAllWays({ ...tally, rows: rows(300, 40) });
    expect(result.rows).toHaveLength(300);
    expect(result.rows.at(-1)?.values).toEqual([8n, 19, 'row 299', (8 * (19 + 299)) / 2]);
  });

  it('refuses one whose snapshot changes while the operator goes on', async () => {
    await expect(driveOperatorAllWays({ ...tally, create: carelessTally, rows: rows(300) })).rejects.toThrow(
      /restored: while-going-on: gave/,
    );
  });

  it('refuses one that remembers and has no state', async () => {
    const create = (): Operator => {
      const { state, ...rest } = methodsOf(new TallyOperator());
      return { ...rest, state: { ...state, restore: () => undefined } };
    };
    await expect(driveOperatorAllWays({ ...tally, create, rows: rows(50) })).rejects.toThrow(/restored: at-once: gave/);
  });
});

function methodsOf(inner: TallyOperator) {
  return {
    open: (context: OperatorContext) => inner.open(context),
    process: (batch: ColumnBatch, fromRow: number) => inner.process(batch, fromRow),
    finish: () => true,
    close: () => inner.close(),
    state: inner.state,
  };
}

/** Emits the time of each alarm and each watermark, two rows each, one row a call. */
class Echo implements Operator {
  readonly #out = new ColumnBatch({ fields: [{ name: 't', type: types.double }] }, 1);
  #context: OperatorContext | null = null;
  #emitted = 0;
  open(context: OperatorContext): void {
    this.#context = context;
    context.setAlarm(context.ports.clock.nowMs() + 10);
  }
  process(batch: ColumnBatch): number {
    return batch.rowCount;
  }
  onWatermark(timestampMs: number): boolean {
    return this.#emit(timestampMs);
  }
  onTimer(nowMs: number): boolean {
    if (!this.#emit(nowMs)) return false;
    this.#context?.setAlarm(nowMs + 10);
    return true;
  }
  finish(): boolean {
    return true;
  }
  close(): void {
    this.#context = null;
  }
  #emit(time: number): boolean {
    for (; this.#emitted < 2; this.#emitted++) {
      if (this.#context?.output.ready !== true) return false;
      this.#out.reset();
      const [column] = this.#out.columns;
      if (column?.kind === 'double') column.values[0] = time;
      this.#out.rowCount = 1;
      this.#context.output.emit(this.#out);
    }
    this.#emitted = 0;
    return true;
  }
}

describe('OperatorHarness', () => {
  const open = (pauses: number) =>
    OperatorHarness.open({ create: () => new Echo(), input: testSchema, nowMs: 1000, pauses });
  const times = (harness: OperatorHarness) => harness.takeRows().map(({ values }) => values[0]);

  it.each([0, 1])('lets alarms go off at their time, and watermarks pass; its output pauses %i times', async (n) => {
    const harness = await open(n);
    harness.advanceTo(1009);
    expect(times(harness)).toEqual([]);
    harness.advanceTo(1025);
    expect(times(harness)).toEqual([1010, 1010, 1020, 1020]);
    expect(harness.alarmMs).toBe(1030);
    harness.watermark(5);
    expect(times(harness)).toEqual([5, 5]);
    await harness.close();
  });

  it('tells the operator the least watermark of what it is restored from', async () => {
    const options = { create: () => new TallyOperator(), input: testSchema };
    const [first, second] = await Promise.all([OperatorHarness.open(options), OperatorHarness.open(options)]);
    first.watermark(70);
    second.watermark(60);
    let seen = NaN;
    const spy = new TallyOperator();
    const open = spy.open.bind(spy);
    spy.open = (context) => {
      seen = context.restoredWatermarkMs;
      open(context);
    };
    await OperatorHarness.open({ ...options, create: () => spy, restore: [first.snapshot(), second.snapshot()] });
    expect(seen).toBe(60);
  });
});
