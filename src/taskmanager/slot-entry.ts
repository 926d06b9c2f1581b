import type { CheckpointStorage, CheckpointStorageConfig, ConnectorCatalog, Operator, Ports } from '../core/index.ts';
import type { ChainNode } from '../graph/index.ts';

/** The nodes that an operator runs: all but those that connectors run, and unions, which nobody has to. */
export type OperatorNode = Exclude<ChainNode, { readonly kind: 'source' | 'sink' | 'union' }>;

/** Makes the operator of a chain's node; handed in by the composition root, which knows the room `operators`. */
export type OperatorFactory = (node: OperatorNode) => Operator;

/** What a slot's thread has to be told by the module that starts it. */
export interface SlotDependencies {
  readonly ports: Ports;
  readonly catalog: ConnectorCatalog;
  readonly createOperator: OperatorFactory;
  /** Where state files go; by the room `state` where left out. */
  readonly openStorage?: (config: CheckpointStorageConfig, ports: Ports) => CheckpointStorage;
}
