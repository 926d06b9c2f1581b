import { hashRows } from '../../../core/index.ts';
import type { Column, LongColumn } from '../../../core/index.ts';
import { writeNull } from '../../state/column-writes.ts';
import { grown } from '../../state/grown.ts';
import { ApproximateAccumulator } from './approximate-accumulator.ts';
import { DistinctSketch } from './distinct-sketch.ts';

/** APPROX_COUNT_DISTINCT. 0 of nothing. */
export class ApproximateDistinct extends ApproximateAccumulator<DistinctSketch> {
  readonly layout = 'distinct-sketch';
  #high = new Int32Array(0);
  #low = new Int32Array(0);
  #output: LongColumn | null = null;

  constructor() {
    super(() => new DistinctSketch());
  }

  bindOutput(output: Column): void {
    this.#output = output as LongColumn;
  }

  write(slot: number, outRow: number): void {
    const output = this.#output as LongColumn;
    writeNull(output, outRow, false);
    output.values[outRow] = this.sketches.get(slot)?.estimate() ?? 0;
  }

  protected bindArgument(argument: Column, rowCount: number): void {
    this.#high = grown(this.#high, rowCount);
    this.#low = grown(this.#low, rowCount);
    hashRows([argument], rowCount, this.#high);
    // The value once more behind itself: a hash of its own, from another state.
    hashRows([argument, argument], rowCount, this.#low);
  }

  protected addValue(sketch: DistinctSketch, row: number): void {
    sketch.add(this.#high[row] as number, this.#low[row] as number);
  }
}
