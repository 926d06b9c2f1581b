export { Collected } from './collect-sink.ts';
export type { CollectedRow } from './collect-sink.ts';
export { testCatalog, withMiniCluster } from './mini-cluster.ts';
export type { JobHandle, MiniCluster, MiniClusterOptions } from './mini-cluster.ts';
export { driveOperator, driveOperatorAllWays } from './operator-harness.ts';
export type {
  DriveOptions,
  InputRow,
  OperatorCase,
  OperatorResult,
  OutputRow,
  RecordFailure,
} from './operator-harness.ts';
export { sequenceRow } from './sequence-source.ts';
export { operatorNode, sinkNode, sourceNode, testGraph, testSchema, unionNode } from './test-graph.ts';
export type { TestVertex } from './test-graph.ts';
export { createTestOperator } from './test-operators.ts';
