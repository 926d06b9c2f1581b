import { describe, expect, it } from '@jest/globals';
import { batchOf, MAX_WATERMARK_MS, rowsOf, splitId, types } from '../core/index.ts';
import type { ColumnBatch, Committable, SourceReader, Split, SplitId } from '../core/index.ts';
import { ManualClock } from '../testing/index.ts';
import { Chain } from './chain.ts';
import type { ChainControl, ChainTail } from './chain.ts';
import { SourceHead } from './chain-head.ts';
import { InFlightRows } from './checkpoints/in-flight-rows.ts';
import { SplitWatermarks } from './split-watermarks.ts';

const schema = { fields: [{ name: 'at', type: types.timestamp }] };
const split = (name: string): Split => ({ id: splitId(name), position: {}, racks: [] });
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Gives what is put into `queue`, and logs what is asked of it. */
class FakeReader implements SourceReader {
  readonly queue: { readonly split: SplitId; readonly batch: ColumnBatch }[] = [];
  readonly log: string[] = [];
  readonly ended: SplitId[] = [];
  batchSplit: SplitId | null = null;
  isFinished = false;
  committing: SourceReader['committing'];
  wake: () => void = () => undefined;
  isFlushed: () => void = () => undefined;
  open(): Promise<void> {
    return Promise.resolve();
  }
  addSplits(splits: readonly Split[]): void {
    this.log.push(`add ${splits.map(({ id }) => id).join()}`);
  }
  noMoreSplits(): void {
    this.log.push('no more');
  }
  poll(): ColumnBatch | null {
    const next = this.queue.shift();
    if (next === undefined) return null;
    this.batchSplit = next.split;
    return next.batch;
  }
  takeEndedSplits(): readonly SplitId[] {
    return this.ended.splice(0);
  }
  available(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
  flush(): Promise<void> {
    this.log.push('flush');
    return new Promise((resolve) => {
      this.isFlushed = resolve;
    });
  }
  positions(): readonly Split[] {
    return [split('a')];
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  put(name: string, ...times: number[]): void {
    this.queue.push({ split: splitId(name), batch: batchOf(schema, times.map((time) => [time])) });
  }
}

class LogTail implements ChainTail {
  readonly stepId = 'tail';
  readonly committables = [];
  readonly #log: string[];
  #batch: ColumnBatch | null = null;
  onReady = (): void => undefined;
  onFailure = (): void => undefined;
  overtaken = (): void => undefined;
  constructor(log: string[]) {
    this.#log = log;
  }
  hurry(): void {
    this.#log.push('hurry');
  }
  calm(): void {
    this.#log.push('calm');
  }
  settle(): boolean {
    return true;
  }
  offer(batch: ColumnBatch): void {
    this.#batch = batch;
  }
  take(): boolean {
    const batch = this.#batch as ColumnBatch;
    const times = batch.timestamps === null ? 'none' : [...batch.timestamps.subarray(0, batch.rowCount)].join(' ');
    this.#log.push(`${rowsOf(batch).flat().map(Number).join(' ')} at ${times}`);
    return true;
  }
  control(control: ChainControl): boolean {
    if (control.kind === 'watermark') this.#log.push(`w${control.timestampMs}${control.idle ? ' idle' : ''}`);
    else this.#log.push(control.kind === 'barrier' ? `b${control.checkpointId}` : control.kind);
    return true;
  }
}

interface HeadOptions {
  readonly idleMs?: number | null;
  readonly hasEventTime?: boolean;
  readonly maxDriftMs?: number;
}

function headOf(options: HeadOptions = {}) {
  const { idleMs = null, hasEventTime = true, maxDriftMs } = options;
  const drift = maxDriftMs === undefined ? {} : { maxDriftMs };
  const reader = new FakeReader();
  const clock = new ManualClock();
  const { log } = reader;
  const head = new SourceHead({
    reader,
    stepId: 'in',
    recordsOut: { value: 0 },
    watermarks: hasEventTime ? new SplitWatermarks({ column: 0, delayMs: 1, idleMs, ...drift }, -Infinity) : null,
    watermarkIntervalMs: 10,
    clock,
    barriers: {
      heard: () => undefined,
      aligned: (id) => {
        log.push(`aligned ${id}`);
        return new InFlightRows();
      },
      captured: (splits, committables) => {
        const times = splits.map(({ eventTime }) => eventTime?.maxTimestampMs ?? 'none').join();
        log.push(`captured ${times}, ${committables.length} handles`);
      },
    },
  });
  const chain = new Chain([], new LogTail(log), -Infinity);
  head.start();
  /** Pulls until nothing is at hand, and returns what happened. */
  const run = (): string[] => {
    for (let pulls = 0; pulls < 100; pulls++) {
      const pulled = head.pull(chain);
      while (chain.step() === 'more');
      if (pulled !== 'fed') return log.splice(0);
    }
    throw new Error('no end');
  };
  return { head, reader, clock, run };
}

describe('a source at the head of a chain', () => {
  it('gives rows their time, and tells at its interval how far it has come', () => {
    const { head, reader, clock, run } = headOf();
    head.addSplits([split('a')]);
    reader.put('a', 100, 90);
    reader.put('a', 105);
    expect(run()).toEqual(['add a', '100 90 at 100 90', '105 at 105']);
    clock.advanceTo(9);
    expect(run()).toEqual([]);
    clock.advanceTo(10);
    expect(run()).toEqual(['w104']);
    clock.advanceTo(30);
    expect(run()).toEqual([]);
  });

  it('has no event time where none was asked for', () => {
    const { head, reader, clock, run } = headOf({ hasEventTime: false });
    head.addSplits([split('a')]);
    reader.put('a', 100);
    clock.advanceTo(50);
    reader.isFinished = true;
    expect(run()).toEqual(['add a', '100 at none', 'flush', 'end-of-input']);
  });

  it('falls idle where its splits are silent, but not where nobody asks it', async () => {
    const { head, reader, clock, run } = headOf({ idleMs: 35 });
    head.addSplits([split('a')]);
    reader.put('a', 100);
    run();
    clock.advanceTo(10);
    expect(run()).toEqual(['w99']);
    reader.wake();
    await settled();
    // Held up by what follows: silence counts from when it is asked again.
    clock.advanceTo(500);
    expect(run()).toEqual([]);
    clock.advanceTo(510);
    expect(run()).toEqual([]);
    clock.advanceTo(520);
    expect(run()).toEqual(['w99 idle']);
    reader.put('a', 101);
    expect(run()).toEqual(['101 at 101']);
    clock.advanceTo(530);
    expect(run()).toEqual(['w100']);
  });

  it('pauses where it is too far ahead of others, but lets barriers in, and does not fall idle', async () => {
    const { head, reader, clock, run } = headOf({ maxDriftMs: 50, idleMs: 35 });
    expect(head.progress).toEqual({ watermarkMs: -Infinity, isIdle: false });
    head.addSplits([split('a')]);
    reader.put('a', 100);
    run();
    clock.advanceTo(10);
    expect(run()).toEqual(['w99']);
    reader.wake();
    await settled();
    expect(head.progress).toEqual({ watermarkMs: 99, isIdle: false });
    head.align(90);
    reader.put('a', 101);
    expect(run()).toEqual([]);
    clock.advanceTo(500);
    expect(run()).toEqual([]);
    head.trigger({ checkpointId: 1, triggeredAtMs: 0 });
    run();
    reader.isFlushed();
    await settled();
    expect(run()).toEqual(['captured 100, 0 handles', 'b1']);
    head.align(99);
    expect(run()).toEqual(['101 at 101']);
    clock.advanceTo(510);
    expect(run()).toEqual(['w100']);
    reader.put('a', 102);
    expect(run()).toEqual([]);
    head.align(Infinity);
    reader.isFinished = true;
    expect(run()).toEqual(['102 at 102', 'flush', `w${MAX_WATERMARK_MS}`, 'end-of-input']);
    expect(head.progress).toEqual({ watermarkMs: MAX_WATERMARK_MS, isIdle: true });
  });

  it('forgets splits that have ended', () => {
    const { head, reader, clock, run } = headOf();
    head.addSplits([split('a'), split('b')]);
    reader.put('a', 100);
    reader.put('b', 50);
    run();
    reader.ended.push(splitId('b'));
    clock.advanceTo(10);
    expect(run()).toEqual(['w99']);
  });

  it('brings event time to its end in front of a barrier that drains it, and cannot go back from that', async () => {
    const { head, reader, run } = headOf();
    head.addSplits([split('a')]);
    reader.put('a', 100);
    run();
    head.trigger({ checkpointId: 1, triggeredAtMs: 0, stopsSource: true, drains: true });
    reader.put('a', 101);
    expect(run()).toEqual([`w${MAX_WATERMARK_MS}`, 'aligned 1', 'flush', 'flush']);
    reader.isFlushed();
    await settled();
    expect(run()).toEqual(['captured 100, 0 handles', 'b1']);
    head.abort(1);
    expect(run).toThrow(expect.objectContaining({ code: 'MR-TASK-DRAIN-ABORTED', retry: 'backoff' }));
  });

  it('ends with the last watermark, once what is held back in the chain has left it', () => {
    const { head, reader, run } = headOf();
    head.addSplits([]);
    head.noMoreSplits();
    reader.isFinished = true;
    expect(run()).toEqual(['no more', 'w-Infinity idle', 'flush', `w${MAX_WATERMARK_MS}`, 'end-of-input']);
  });

  it('is not at its end where the chain made the reader write dead letters', () => {
    const { head, reader, run } = headOf({ hasEventTime: false });
    head.noMoreSplits();
    let asked = 0;
    Object.defineProperty(reader, 'isFinished', { get: () => asked++ !== 1 });
    // Finished, flushed, not finished after all.
    expect(run()).toEqual(['no more', 'flush']);
    expect(run()).toEqual(['flush', 'end-of-input']);
  });

  it('puts a barrier in once its own writes are durable, with where it was then', async () => {
    const { head, reader, run } = headOf();
    head.addSplits([split('a')]);
    reader.put('a', 100);
    expect(run()).toEqual(['add a', '100 at 100']);
    head.trigger({ checkpointId: 7, triggeredAtMs: 0 });
    reader.put('a', 200);
    expect(run()).toEqual(['aligned 7', 'flush', 'flush']);
    expect(run()).toEqual([]);
    reader.isFlushed();
    await settled();
    expect(run()).toEqual(['captured 100, 0 handles', 'b7', 'w99', '200 at 200']);
  });

  it('commits what it writes itself with checkpoints, where it can', async () => {
    const { head, reader, run } = headOf({ hasEventTime: false });
    const handle = { checkpointId: 7 } as Committable;
    reader.committing = {
      prepareCommit: (id) => {
        reader.log.push(`prepare ${id}`);
        return Promise.resolve([handle]);
      },
      commit: () => Promise.resolve(),
    };
    head.trigger({ checkpointId: 7, triggeredAtMs: 0 });
    expect(run()).toEqual(['aligned 7', 'flush', 'prepare 7']);
    await settled();
    expect(run()).toEqual(['captured none, 1 handles', 'b7']);
  });

  it('gives nothing behind a barrier that stops it, unless the checkpoint is aborted', async () => {
    const { head, reader, clock, run } = headOf();
    head.addSplits([split('a')]);
    reader.put('a', 100);
    run();
    head.trigger({ checkpointId: 4, triggeredAtMs: 0, stopsSource: true });
    run();
    reader.isFlushed();
    await settled();
    expect(run()).toEqual(['captured 100, 0 handles', 'b4']);
    reader.put('a', 200);
    clock.advanceTo(50);
    expect(run()).toEqual([]);
    head.abort(3);
    expect(run()).toEqual([]);
    head.abort(4);
    expect(run()).toEqual(['w99', '200 at 200']);
  });

  it('takes several barriers in order, and drops those that are aborted before they enter', async () => {
    const { head, reader, run } = headOf({ hasEventTime: false });
    for (const checkpointId of [1, 2, 3]) head.trigger({ checkpointId, triggeredAtMs: 0 });
    head.abort(2);
    run();
    // Too late: it is entering.
    head.abort(1);
    reader.isFlushed();
    await settled();
    expect(run()).toEqual(['captured none, 0 handles', 'b1', 'aligned 3', 'flush', 'flush']);
    reader.isFlushed();
    await settled();
    expect(run()).toEqual(['captured none, 0 handles', 'b3']);
  });

  it('fails where its writes cannot be made durable', async () => {
    const { head, reader, run } = headOf();
    reader.flush = () => Promise.reject(new Error('the topic is gone'));
    head.trigger({ checkpointId: 1, triggeredAtMs: 0 });
    run();
    await settled();
    expect(run).toThrow('the topic is gone');
  });
});
