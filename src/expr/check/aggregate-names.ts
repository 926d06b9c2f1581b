import type { AggregateFunction } from '../../core/index.ts';

/** The aggregates that there are, under all their names. */
export const AGGREGATES: ReadonlyMap<string, AggregateFunction> = new Map([
  ['COUNT', 'count'],
  ['SUM', 'sum'],
  ['MIN', 'min'],
  ['MAX', 'max'],
  ['AVG', 'avg'],
  ['FIRST', 'first'],
  ['FIRST_VALUE', 'first'],
  ['LAST', 'last'],
  ['LAST_VALUE', 'last'],
  ['ARRAY_AGG', 'array-agg'],
  ['APPROX_COUNT_DISTINCT', 'approx-count-distinct'],
  ['APPROX_QUANTILE', 'approx-quantile'],
  ['APPROX_PERCENTILE', 'approx-quantile'],
]);
