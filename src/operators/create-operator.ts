import type { Operator, RowSchema, TransformStep } from '../core/index.ts';
import { AggregateOperator } from './aggregate/aggregate-operator.ts';
import type { AggregateSpec } from './aggregate/aggregate-operator.ts';
import { DedupeOperator } from './dedupe/dedupe-operator.ts';
import type { DedupeSpec } from './dedupe/dedupe-operator.ts';
import { createJoinOperator } from './join/create-join-operator.ts';
import type { JoinSpec } from './join/join-spec.ts';
import { TopNOperator } from './top-n/top-n-operator.ts';
import type { TopNSpec } from './top-n/top-n-operator.ts';
import { TransformOperator } from './transform-operator.ts';
import { UnionOperator } from './union-operator.ts';
import { createWindowOperator } from './window/create-window-operator.ts';
import type { WindowSpec } from './window/window-spec.ts';

/** The nodes of a job graph that operators stand for. */
export type OperatorNode =
  | { readonly kind: 'transform'; readonly steps: readonly TransformStep[]; readonly input: RowSchema }
  | ({ readonly kind: 'aggregate' } & AggregateSpec)
  | ({ readonly kind: 'window' } & WindowSpec)
  | ({ readonly kind: 'top-n' } & TopNSpec)
  | ({ readonly kind: 'join' } & JoinSpec)
  | ({ readonly kind: 'dedupe' } & DedupeSpec)
  | { readonly kind: 'union' };

/** The operator of a node, of one subtask. */
export function createOperator(node: OperatorNode): Operator {
  switch (node.kind) {
    case 'transform':
      return new TransformOperator(node);
    case 'aggregate':
      return new AggregateOperator(node);
    case 'join':
      return createJoinOperator(node);
    case 'top-n':
      return new TopNOperator(node);
    case 'dedupe':
      return new DedupeOperator(node);
    case 'window':
      return createWindowOperator(node);
    case 'union':
      return new UnionOperator();
  }
}
