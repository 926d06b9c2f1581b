import type { Column, DoubleColumn } from '../../../core/index.ts';
import { writeNull } from '../../state/column-writes.ts';
import { ApproximateAccumulator } from './approximate-accumulator.ts';
import { QuantileSketch } from './quantile-sketch.ts';

/** APPROX_QUANTILE of doubles. NULL of nothing. What is kept does not depend on which quantile is asked for. */
export class ApproximateQuantile extends ApproximateAccumulator<QuantileSketch> {
  readonly layout = 'quantile-sketch';
  readonly #p: number;
  #values = new Float64Array(0);
  #output: DoubleColumn | null = null;

  constructor(p: number) {
    super(() => new QuantileSketch());
    this.#p = p;
  }

  bindOutput(output: Column): void {
    this.#output = output as DoubleColumn;
  }

  write(slot: number, outRow: number): void {
    const output = this.#output as DoubleColumn;
    const sketch = this.sketches.get(slot);
    writeNull(output, outRow, sketch === null);
    if (sketch !== null) output.values[outRow] = sketch.quantile(this.#p);
  }

  protected bindArgument(argument: Column): void {
    this.#values = (argument as DoubleColumn).values as Float64Array<ArrayBuffer>;
  }

  protected addValue(sketch: QuantileSketch, row: number): void {
    sketch.add(this.#values[row] as number);
  }
}
