import { columnKind } from '../../../core/index.ts';
import type { AggregateCall, DataType } from '../../../core/index.ts';
import type { UpdatingAccumulator } from '../accumulator.ts';
import { IntegerAverageAccumulator } from '../average-accumulator.ts';
import { CountAccumulator } from '../count-accumulator.ts';
import { IntegerSumAccumulator } from '../sum-accumulator.ts';
import { CountedDistinct } from './counted-distinct.ts';
import { CountedExtreme } from './counted-extreme.ts';
import { CountedSum } from './counted-sum.ts';
import { ExactDoubleAccumulator } from './exact-double-accumulator.ts';
import { ListedValues } from './listed-values.ts';

/** What a call keeps where rows may be taken back. */
export function createUpdatingAccumulator(call: AggregateCall): UpdatingAccumulator {
  if (call.argument === null) return new CountAccumulator(call.filter === null ? 'rows' : 'true');
  const accumulator = accumulatorOf(call, call.argument.type);
  return call.distinct ? new CountedDistinct(accumulator, call.argument.type) : accumulator;
}

function accumulatorOf(call: AggregateCall, argument: DataType): UpdatingAccumulator {
  const isFloating = columnKind(argument) === 'double';
  switch (call.function) {
    case 'count':
      return new CountAccumulator('values');
    case 'sum':
      return isFloating ? new ExactDoubleAccumulator(false) : new CountedSum(new IntegerSumAccumulator(call.type));
    case 'avg':
      return isFloating ? new ExactDoubleAccumulator(true) : new IntegerAverageAccumulator(argument, call.type);
    case 'min':
      return new CountedExtreme(argument, -1);
    case 'max':
      return new CountedExtreme(argument, 1);
    case 'first':
    case 'last':
    case 'array-agg':
      return new ListedValues(argument, call.function);
    case 'approx-count-distinct':
    case 'approx-quantile':
      throw new TypeError(`${call.function} cannot take rows back`);
  }
}
