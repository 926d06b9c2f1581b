import type { AggregateCall, DataType } from '../../core/index.ts';
import type { Accumulator, ArrivalClock } from './accumulator.ts';
import { ApproximateDistinct } from './approximate/approximate-distinct.ts';
import { ApproximateQuantile } from './approximate/approximate-quantile.ts';
import { ArrayAccumulator } from './array-accumulator.ts';
import { IntegerAverageAccumulator } from './average-accumulator.ts';
import { CountAccumulator } from './count-accumulator.ts';
import { DistinctAccumulator } from './distinct-accumulator.ts';
import { createExtremeAccumulator } from './extreme-accumulator.ts';
import { FirstLastAccumulator } from './first-last-accumulator.ts';
import { DoubleSumAccumulator, IntegerSumAccumulator } from './sum-accumulator.ts';

export function createAccumulator(call: AggregateCall, clock: ArrivalClock): Accumulator {
  if (call.argument === null) return new CountAccumulator(call.filter === null ? 'rows' : 'true');
  const accumulator = accumulatorOf(call, call.argument.type, clock);
  return call.distinct ? new DistinctAccumulator(accumulator, call.argument.type) : accumulator;
}

/** Whether NULLs count: then FILTER cannot make the argument NULL, and is a condition of its own. */
export function countsNulls({ function: name }: AggregateCall): boolean {
  return name === 'first' || name === 'last' || name === 'array-agg';
}

function accumulatorOf(call: AggregateCall, argument: DataType, clock: ArrivalClock): Accumulator {
  const isFloating = argument.kind === 'float' || argument.kind === 'double';
  switch (call.function) {
    case 'count':
      return new CountAccumulator('values');
    case 'sum':
      return isFloating ? new DoubleSumAccumulator(false) : new IntegerSumAccumulator(call.type);
    case 'avg':
      return isFloating ? new DoubleSumAccumulator(true) : new IntegerAverageAccumulator(argument, call.type);
    case 'min':
      return createExtremeAccumulator(argument, -1);
    case 'max':
      return createExtremeAccumulator(argument, 1);
    case 'first':
    case 'last':
      return new FirstLastAccumulator(argument, call.function === 'last', clock);
    case 'array-agg':
      return new ArrayAccumulator(argument, clock);
    case 'approx-count-distinct':
      return new ApproximateDistinct();
    case 'approx-quantile':
      return new ApproximateQuantile(call.quantile ?? 0.5);
  }
}
