import type { ConnectorCatalog, Operator, Ports } from '../core/index.ts';
import type { AggregateNode, TransformNode } from '../graph/index.ts';

/** Makes the operator of a chain's node; handed in by the composition root, which knows the room `operators`. */
export type OperatorFactory = (node: TransformNode | AggregateNode) => Operator;

/** What a slot's thread has to be told by the module that starts it. */
export interface SlotDependencies {
  readonly ports: Ports;
  readonly catalog: ConnectorCatalog;
  readonly createOperator: OperatorFactory;
}
