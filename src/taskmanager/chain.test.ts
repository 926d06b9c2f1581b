import { describe, expect, it } from '@jest/globals';
import { batchOf, rowsOf, types } from '../core/index.ts';
import type { ColumnBatch, Operator, OperatorContext, OperatorState } from '../core/index.ts';
import { Chain } from './chain.ts';
import type { ChainControl, ChainStage, ChainTail } from './chain.ts';

const schema = { fields: [{ name: 'n', type: types.int }] };
const rows = (...numbers: number[]): ColumnBatch => batchOf(schema, numbers.map((n) => [n]));
const watermark: ChainControl = { kind: 'watermark', timestampMs: 7, idle: false };
const end: ChainControl = { kind: 'end-of-input' };

/** Logs everything; takes batches only when `isOpen`. */
class LogTail implements ChainTail {
  readonly committables = [];
  readonly stepId = 'tail';
  onReady = (): void => undefined;
  onFailure = (): void => undefined;
  overtaken = (): void => undefined;
  isOpen = true;
  #batch: ColumnBatch | null = null;
  readonly #log: string[];
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
    if (!this.isOpen) return false;
    this.#log.push(rowsOf(this.#batch as ColumnBatch).flat().map(Number).join(' '));
    return true;
  }
  control({ kind }: ChainControl): boolean {
    if (!this.isOpen) return false;
    this.#log.push(kind);
    return true;
  }
}

function chainOf(log: string[], ...operators: (Operator | null)[]) {
  const tail = new LogTail(log);
  const stages = operators.map(
    (operator, index): ChainStage => ({
      operator,
      stepId: `step${index}`,
      recordsIn: { value: 0 },
      recordsOut: { value: 0 },
    }),
  );
  const chain = new Chain(stages, tail, -Infinity);
  operators.forEach((operator, index) => {
    void operator?.open({ output: chain.outputs[index] } as unknown as OperatorContext);
  });
  const run = (): string => {
    for (let step = 0; step < 1000; step++) {
      const progress = chain.step();
      if (progress !== 'more') return progress;
    }
    throw new Error('no end');
  };
  return { chain, tail, stages, run };
}

/** Gives out each row twice, one at a time; on a watermark and at the end a row of each of `extra`. */
class TwiceOperator implements Operator {
  readonly #name: string;
  readonly #log: string[];
  readonly #extra: number[];
  #context: OperatorContext | null = null;
  #isSecond = false;
  #kept: ColumnBatch | null = null;
  constructor(name: string, log: string[], extra: number[] = []) {
    this.#name = name;
    this.#log = log;
    this.#extra = [...extra];
  }
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(batch: ColumnBatch, fromRow: number): number {
    if (this.#context?.output.ready !== true) throw new Error('called while the output is not ready');
    this.#context.output.emit(rows(Number(rowsOf(batch)[fromRow]?.[0])));
    this.#isSecond = !this.#isSecond;
    return this.#isSecond ? fromRow : fromRow + 1;
  }
  keep(batch: ColumnBatch): void {
    this.#kept = batch;
  }
  flush(): boolean {
    this.#log.push(`${this.#name} flush`);
    if (this.#kept === null) return true;
    const kept = this.#kept;
    this.#kept = null;
    this.#context?.output.emit(kept);
    return true;
  }
  onWatermark(timestampMs: number): boolean {
    this.#log.push(`${this.#name} watermark ${timestampMs}`);
    return this.#giveOut();
  }
  finish(): boolean {
    this.#log.push(`${this.#name} finish`);
    return this.#giveOut();
  }
  close(): void {
    // Nothing is held.
  }
  #giveOut(): boolean {
    const next = this.#extra.shift();
    if (next === undefined) return true;
    this.#context?.output.emit(rows(next));
    return this.#extra.length === 0;
  }
}

describe('a chain', () => {
  it('works at the deepest batch first, and counts rows', () => {
    const log: string[] = [];
    const { chain, run, stages } = chainOf(log, new TwiceOperator('a', log), null, new TwiceOperator('b', log));
    chain.offer(rows(1, 2), 0);
    expect(run()).toBe('idle');
    expect(log).toEqual(['1', '1', '1', '1', '2', '2', '2', '2']);
    expect(stages.map(({ recordsIn, recordsOut }) => [recordsIn.value, recordsOut.value])).toEqual([
      [2, 4],
      [4, 4],
      [4, 8],
    ]);
  });

  it('stops where its tail is full, and goes on from there', () => {
    const log: string[] = [];
    const { chain, tail, run } = chainOf(log, new TwiceOperator('a', log));
    tail.isOpen = false;
    chain.offer(rows(1, 2), 0);
    expect(run()).toBe('blocked');
    expect(run()).toBe('blocked');
    expect(log).toEqual([]);
    tail.isOpen = true;
    expect(run()).toBe('idle');
    expect(log).toEqual(['1', '1', '2', '2']);
  });

  it('flushes before a watermark, drains what it made, and passes it on', () => {
    const log: string[] = [];
    const [a, b] = [new TwiceOperator('a', log, [10, 11]), new TwiceOperator('b', log)];
    const { chain, run } = chainOf(log, a, b);
    a.keep(rows(5));
    chain.start(watermark);
    expect(run()).toBe('idle');
    expect(log).toEqual([
      'a flush',
      '5',
      '5',
      'a watermark 7',
      '10',
      '10',
      'a watermark 7',
      '11',
      '11',
      'b flush',
      'b watermark 7',
      'watermark',
    ]);
  });

  it('finishes step by step, from the head to the tail', () => {
    const log: string[] = [];
    const { chain, tail, run } = chainOf(log, new TwiceOperator('a', log, [1]), new TwiceOperator('b', log, [2, 3]));
    chain.start(end);
    tail.isOpen = false;
    expect(run()).toBe('blocked');
    tail.isOpen = true;
    expect(run()).toBe('idle');
    expect(log).toEqual([
      'a flush',
      'a finish',
      '1',
      '1',
      'b flush',
      'b finish',
      '2',
      'b finish',
      '3',
      'end-of-input',
    ]);
  });

  it('lets latency markers pass untouched, and barriers after a flush', () => {
    const log: string[] = [];
    const { chain, run } = chainOf(log, new TwiceOperator('a', log));
    chain.start({ kind: 'latency-marker', emittedAtMs: 1, stepId: 's' });
    run();
    chain.start({ kind: 'barrier', checkpointId: 1, triggeredAtMs: 1 });
    run();
    chain.start({ kind: 'flush' });
    run();
    expect(log).toEqual(['latency-marker', 'a flush', 'barrier', 'a flush', 'flush']);
  });

  it('fixes what each operator remembers as the barrier passes it, after what it held back', () => {
    const log: string[] = [];
    const operators = ['a', 'b'].map((name) =>
      Object.assign(new TwiceOperator(name, log), { state: { name } as unknown as OperatorState }),
    );
    const { chain, tail, run } = chainOf(log, operators[0] ?? null, null, operators[1] ?? null);
    chain.barriers = {
      reached: (stepId, state) => log.push(`${stepId} reached ${(state as unknown as { name: string }).name}`),
      left: (committables) => log.push(`left ${committables.length}`),
    };
    operators[0]?.keep(rows(5));
    tail.isOpen = false;
    chain.start({ kind: 'barrier', checkpointId: 1, triggeredAtMs: 1 });
    run();
    expect(log).toEqual(['a flush']);
    tail.isOpen = true;
    expect(run()).toBe('idle');
    expect(log).toEqual([
      'a flush',
      '5',
      '5',
      'step0 reached a',
      'b flush',
      'step2 reached b',
      'barrier',
      'left 0',
    ]);
  });

  it('tells operators of event time only where it has come further', () => {
    const log: string[] = [];
    const { chain, run } = chainOf(log, new TwiceOperator('a', log));
    for (const [timestampMs, idle] of [[7, false], [7, true], [-Infinity, false], [8, true]] as const) {
      chain.start({ kind: 'watermark', timestampMs, idle });
      run();
    }
    expect(log.filter((line) => line !== 'a flush')).toEqual([
      'a watermark 7',
      'watermark',
      'watermark',
      'watermark',
      'a watermark 8',
      'watermark',
    ]);
    expect(chain.watermarkMs).toBe(8);
  });

  it('lets an alarm go off at one operator, piece by piece, and no further', () => {
    const log: string[] = [];
    const alarmed = new TwiceOperator('b', log, [1, 2]);
    const operator = Object.assign(alarmed, {
      onTimer: (nowMs: number) => {
        log.push(`alarm ${nowMs}`);
        return alarmed.finish();
      },
    });
    const { chain, run } = chainOf(log, new TwiceOperator('a', log), operator, new TwiceOperator('c', log));
    chain.startAlarm(1, 500);
    expect(run()).toBe('idle');
    expect(log).toEqual(['alarm 500', 'b finish', '1', '1', 'alarm 500', 'b finish', '2', '2']);
    chain.startAlarm(0, 600);
    expect(run()).toBe('idle');
  });

  it('holds a batch back until it is prepared', async () => {
    const log: string[] = [];
    const operator = new TwiceOperator('a', log);
    let release: () => void = () => undefined;
    const prepared: Operator = Object.assign(operator, {
      prepare: () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    });
    const { chain, run } = chainOf(log, prepared);
    let readyCount = 0;
    chain.onReady = () => {
      readyCount++;
    };
    chain.offer(rows(1), 0);
    expect(run()).toBe('blocked');
    release();
    await Promise.resolve();
    expect(readyCount).toBe(1);
    expect(run()).toBe('idle');
    expect(log).toEqual(['1', '1']);
  });

  it.each(['watermark', 'flush', 'alarm', 'end-of-input'] as const)('waits for what a %s reads', async (kind) => {
    const log: string[] = [];
    let release: (() => void) | null = null;
    let left = 2;
    // Reads twice.
    const act = (): boolean => left === 0;
    const operator: Operator = {
      open: () => undefined,
      process: () => 0,
      ...(kind === 'flush' ? { flush: act } : {}),
      onWatermark: act,
      onTimer: act,
      finish: act,
      reading: () =>
        new Promise<void>((resolve) => {
          log.push('reads');
          release = () => {
            left--;
            resolve();
          };
        }),
      close: () => undefined,
    };
    const { chain, run } = chainOf(log, operator);
    if (kind === 'alarm') chain.startAlarm(0, 500);
    else chain.start(kind === 'watermark' ? watermark : kind === 'flush' ? { kind } : end);
    for (const reads of [1, 2]) {
      expect(run()).toBe('blocked');
      expect(run()).toBe('blocked');
      expect(log).toEqual(Array.from({ length: reads }, () => 'reads'));
      (release as unknown as () => void)();
      await Promise.resolve();
    }
    expect(run()).toBe('idle');
    expect(log).toEqual(['reads', 'reads', ...(kind === 'alarm' ? [] : [kind])]);
  });

  it('fails where preparing fails', async () => {
    const operator: Operator = Object.assign(new TwiceOperator('a', []), {
      prepare: () => Promise.reject(new Error('the disk is gone')),
    });
    const { chain, run } = chainOf([], operator);
    chain.offer(rows(1), 0);
    expect(run()).toBe('blocked');
    await new Promise((resolve) => setImmediate(resolve));
    expect(run).toThrow('the disk is gone');
  });

  it('refuses an operator that neither progresses nor emits', () => {
    const lazy: Operator = { open: () => undefined, process: () => 0, finish: () => true, close: () => undefined };
    const { chain, run } = chainOf([], lazy);
    chain.offer(rows(1), 0);
    expect(run).toThrow('step step0 returned early from row 0 of 1');
    expect(chain.currentStep).toBe('step0');
  });
});
