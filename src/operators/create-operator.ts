import { coreErrors } from '../core/index.ts';
import type { CodeLoader, LookupConnector, Operator, RowSchema, TransformStep } from '../core/index.ts';
import { AggregateOperator } from './aggregate/aggregate-operator.ts';
import type { AggregateSpec } from './aggregate/aggregate-operator.ts';
import { UpdatingAggregateOperator } from './aggregate/updating/updating-aggregate-operator.ts';
import { DedupeOperator } from './dedupe/dedupe-operator.ts';
import type { DedupeSpec } from './dedupe/dedupe-operator.ts';
import { createJoinOperator } from './join/create-join-operator.ts';
import type { JoinSpec } from './join/join-spec.ts';
import { createLookupOperator } from './lookup/create-lookup-operator.ts';
import type { LookupStep } from './lookup/lookup-spec.ts';
import { FilterRowsOperator } from './process/filter-rows-operator.ts';
import { ProcessOperator } from './process/process-operator.ts';
import type { ProcessSpec } from './process/process-spec.ts';
import { NormaliseOperator } from './normalise/normalise-operator.ts';
import type { NormaliseSpec } from './normalise/normalise-operator.ts';
import { TopNOperator } from './top-n/top-n-operator.ts';
import type { TopNSpec } from './top-n/top-n-operator.ts';
import { UpdatingTopNOperator } from './top-n/updating-top-n-operator.ts';
import { TransformOperator } from './transform-operator.ts';
import { UnionOperator } from './union-operator.ts';
import { createWindowOperator } from './window/create-window-operator.ts';
import type { WindowSpec } from './window/window-spec.ts';

/** The nodes of a job graph that operators stand for. */
export type OperatorNode =
  | { readonly kind: 'transform'; readonly steps: readonly TransformStep[]; readonly input: RowSchema }
  | ({ readonly kind: 'aggregate'; readonly retracts?: true } & AggregateSpec)
  | ({ readonly kind: 'normalise' } & NormaliseSpec)
  | ({ readonly kind: 'window' } & WindowSpec)
  | ({ readonly kind: 'top-n'; readonly retracts?: true } & TopNSpec)
  | ({ readonly kind: 'join' } & JoinSpec)
  | ({ readonly kind: 'dedupe' } & DedupeSpec)
  | ({ readonly kind: 'process' } & ProcessSpec)
  | ({ readonly kind: 'lookup' } & LookupStep)
  | { readonly kind: 'union' };

/** For jobs without code of users. */
const noCode: CodeLoader = () =>
  Promise.reject(coreErrors.create('MR-INTERNAL', { message: 'nobody loads code here' }));

/** The operator of a node, of one subtask. Code of users is loaded in its open(). */
export function createOperator(
  node: OperatorNode,
  loadCode: CodeLoader = noCode,
  lookups: ReadonlyMap<string, LookupConnector> = new Map(),
): Operator {
  switch (node.kind) {
    case 'transform':
      return new TransformOperator(node);
    case 'aggregate':
      return node.retracts === true ? new UpdatingAggregateOperator(node) : new AggregateOperator(node);
    case 'normalise':
      return new NormaliseOperator(node);
    case 'join':
      return createJoinOperator(node);
    case 'top-n':
      return node.retracts === true ? new UpdatingTopNOperator(node) : new TopNOperator(node);
    case 'dedupe':
      return new DedupeOperator(node);
    case 'window':
      return createWindowOperator(node);
    case 'process':
      return node.role === 'filter' ? new FilterRowsOperator(node, loadCode) : new ProcessOperator(node, loadCode);
    case 'lookup':
      return createLookupOperator(node, lookups, loadCode);
    case 'union':
      return new UnionOperator();
  }
}
