import type { Column } from '../../../core/index.ts';
import type { ByteReader } from '../../state/byte-reader.ts';
import type { ByteWriter } from '../../state/byte-writer.ts';
import type { Accumulator, CallInput } from '../accumulator.ts';
import { SketchSlots } from './sketch-slots.ts';
import type { Sketch } from './sketch-slots.ts';

/** What accumulators that keep a sketch per slot have in common. NULLs do not count. */
export abstract class ApproximateAccumulator<S extends Sketch<S>> implements Accumulator {
  abstract readonly layout: string;
  protected readonly sketches: SketchSlots<S>;
  #argument: Column | null = null;

  constructor(create: () => S) {
    this.sketches = new SketchSlots(create);
  }

  get sizeBytes(): number {
    return this.sketches.sizeBytes;
  }

  reserve(slotCount: number): void {
    this.sketches.reserve(slotCount);
  }

  bindInput({ argument, rowCount }: CallInput): void {
    this.#argument = argument;
    this.bindArgument(argument as Column, rowCount);
  }

  abstract bindOutput(output: Column): void;

  add(slot: number, row: number): void {
    const argument = this.#argument as Column;
    if (argument.hasNulls && argument.nulls[row] === 1) return;
    const sketch = this.sketches.ensure(slot);
    const before = sketch.sizeBytes;
    this.addValue(sketch, row);
    const after = sketch.sizeBytes;
    if (after !== before) this.sketches.resized(after - before);
  }

  abstract write(slot: number, outRow: number): void;

  merge(slot: number, from: number): void {
    this.sketches.merge(slot, from);
  }

  clear(slot: number): void {
    this.sketches.clear(slot);
  }

  encode(slot: number, to: ByteWriter): void {
    this.sketches.encode(slot, to);
  }

  decode(slot: number, from: ByteReader): void {
    this.sketches.decode(slot, from);
  }

  protected abstract bindArgument(argument: Column, rowCount: number): void;
  /** The value of the row is not NULL. */
  protected abstract addValue(sketch: S, row: number): void;
}
