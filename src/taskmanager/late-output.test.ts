import { describe, expect, it } from '@jest/globals';
import { batchOf, LATE_SIDE, rowsOf, types } from '../core/index.ts';
import type { ColumnBatch, Operator, OperatorContext } from '../core/index.ts';
import { ExchangeTail } from './chain-tail.ts';
import { Chain } from './chain.ts';
import type { ChainStage } from './chain.ts';
import type { ControlElement } from './exchange/channel.ts';
import type { EdgeWriter } from './exchange/edge-writer.ts';

const schema = { fields: [{ name: 'n', type: types.int }] };
const rows = (...numbers: number[]): ColumnBatch => batchOf(schema, numbers.map((n) => [n]));

/** Logs what it is given, at the second time of asking. */
class SlowEdge implements EdgeWriter {
  onReady = (): void => undefined;
  readonly log: string[] = [];
  #batch: ColumnBatch | null = null;
  #isAsked = false;
  offer(batch: ColumnBatch): void {
    this.#batch = batch;
  }
  pump(): boolean {
    if (this.#batch === null) return true;
    this.#isAsked = !this.#isAsked;
    if (this.#isAsked) return false;
    this.log.push(rowsOf(this.#batch).flat().map(Number).join(' '));
    this.#batch = null;
    return true;
  }
  control({ kind }: ControlElement): boolean {
    this.log.push(kind);
    return true;
  }
  flush(): void {
    // Nothing is gathered.
  }
  hurry(): void {
    // It only logs.
  }
  calm(): void {
    // It only logs.
  }
  readonly isSettled = true;
  overtake(barrier: ControlElement): boolean {
    return this.control(barrier);
  }
  close(): void {
    // Nothing is held.
  }
}

/** Lets even numbers pass and puts odd ones aside, one row at a time. */
class OddIsLate implements Operator {
  /** After each row, whether each output is busy. */
  readonly busy: boolean[][] = [];
  #context: OperatorContext | null = null;
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(batch: ColumnBatch, fromRow: number): number {
    const number = Number(rowsOf(batch)[fromRow]?.[0]);
    const { output, sideOutputs } = this.#context as OperatorContext;
    const lateOutput = sideOutputs?.get(LATE_SIDE);
    if (!output.ready || lateOutput?.ready !== true) throw new Error('called while the outputs are not ready');
    (number % 2 === 0 ? output : lateOutput).emit(rows(number));
    this.busy.push([output, lateOutput].map(({ ready }) => !ready));
    return fromRow + 1;
  }
  finish(): boolean {
    return true;
  }
  close(): void {
    // Nothing is held.
  }
}

describe('rows that come too late', () => {
  it('leave a chain by edges of their own, and what controls the stream by all', () => {
    const [first, late, second] = [new SlowEdge(), new SlowEdge(), new SlowEdge()];
    const tail = new ExchangeTail([first, late, second], 'step', [null, LATE_SIDE, null], []);
    const operator = new OddIsLate();
    const stage: ChainStage = { operator, stepId: 'step', recordsIn: { value: 0 }, recordsOut: { value: 0 } };
    const chain = new Chain([stage], tail, -Infinity);
    const sideOutputs = new Map([[LATE_SIDE, chain.sideOutput(LATE_SIDE)]]);
    operator.open({ output: chain.outputs[0], sideOutputs } as unknown as OperatorContext);
    const run = (): void => {
      for (let step = 0; step < 100 && chain.step() !== 'idle'; step++);
    };
    chain.offer(rows(1, 2, 4, 5), 0);
    run();
    chain.start({ kind: 'watermark', timestampMs: 7, idle: false });
    run();
    expect(first.log).toEqual(['2', '4', 'watermark']);
    expect(second.log).toEqual(first.log);
    expect(late.log).toEqual(['1', '5', 'watermark']);
    expect(operator.busy.flat()).toEqual(Array.from({ length: 8 }, () => true));
    expect(stage.recordsOut.value).toBe(4);
  });
});
