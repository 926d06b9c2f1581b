import type { Operator } from '../../core/index.ts';
import { BoundedJoin } from './bounded-join.ts';
import type { JoinSpec } from './join-spec.ts';
import { PairJoinOperator } from './pair-join-operator.ts';
import { TemporalJoinOperator } from './temporal-join-operator.ts';
import { UpdatingJoinOperator } from './updating-join-operator.ts';

/** The operator of a join, by its bounds. */
export function createJoinOperator(spec: JoinSpec): Operator {
  const { bounds } = spec;
  if (spec.retracts === true) return new UpdatingJoinOperator(spec);
  if (bounds === null) return new PairJoinOperator({ ...spec, bounds });
  return bounds.kind === 'temporal' ? new TemporalJoinOperator(spec) : new BoundedJoin({ ...spec, bounds });
}
