import type { BooleanColumn, Column, LongColumn } from '../../core/index.ts';
import type { Accumulator } from './accumulator.ts';
import { grown } from './accumulator.ts';

/** What makes a row count: all do, those whose argument is not NULL, those whose condition is TRUE. */
export type Counted = 'rows' | 'values' | 'true';

/** COUNT. Counts stay far below 2^53, so they are always narrow. */
export class CountAccumulator implements Accumulator {
  readonly #counted: Counted;
  #counts = new Float64Array(0);
  #argument: Column | null = null;
  #output: Float64Array = new Float64Array(0);

  constructor(counted: Counted) {
    this.#counted = counted;
  }

  bind(argument: Column | null, output: Column, groupCount: number): void {
    this.#argument = argument;
    this.#output = (output as LongColumn).values;
    this.#counts = grown(this.#counts, groupCount);
  }

  commit(group: number, row: number, outRow: number): void {
    const count = (this.#counts[group] as number) + (this.#isCounted(row) ? 1 : 0);
    this.#counts[group] = count;
    this.#output[outRow] = count;
  }

  repeat(group: number, outRow: number): void {
    this.#output[outRow] = this.#counts[group] as number;
  }

  #isCounted(row: number): boolean {
    const argument = this.#argument;
    if (argument === null) return true;
    if (argument.hasNulls && argument.nulls[row] === 1) return false;
    return this.#counted !== 'true' || (argument as BooleanColumn).values[row] === 1;
  }
}
