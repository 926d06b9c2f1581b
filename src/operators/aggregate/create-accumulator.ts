import type { AggregateCall, DataType } from '../../core/index.ts';
import type { Accumulator } from './accumulator.ts';
import { DoubleAverageAccumulator, IntegerAverageAccumulator } from './average-accumulator.ts';
import { CountAccumulator } from './count-accumulator.ts';
import { DistinctAccumulator } from './distinct-accumulator.ts';
import { createExtremeAccumulator } from './extreme-accumulator.ts';
import { DoubleSumAccumulator, IntegerSumAccumulator } from './sum-accumulator.ts';

export function createAccumulator(call: AggregateCall): Accumulator {
  if (call.argument === null) return new CountAccumulator(call.filter === null ? 'rows' : 'true');
  const accumulator = accumulatorOf(call, call.argument.type);
  return call.distinct ? new DistinctAccumulator(accumulator, call.argument.type) : accumulator;
}

function accumulatorOf(call: AggregateCall, argument: DataType): Accumulator {
  const isFloating = argument.kind === 'float' || argument.kind === 'double';
  switch (call.function) {
    case 'count':
      return new CountAccumulator('values');
    case 'sum':
      return isFloating ? new DoubleSumAccumulator() : new IntegerSumAccumulator(call.type);
    case 'avg':
      return isFloating ? new DoubleAverageAccumulator() : new IntegerAverageAccumulator(argument, call.type);
    case 'min':
      return createExtremeAccumulator(argument, -1);
    case 'max':
      return createExtremeAccumulator(argument, 1);
  }
}
