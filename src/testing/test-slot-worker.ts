/* The module of a slot's thread in tests. */
import { workerData } from 'node:worker_threads';

import { nodePorts } from '../core/node-ports.ts';
import { runSlot } from '../taskmanager/index.ts';
import { Collected } from './collect-sink.ts';
import { testCatalog } from './mini-cluster.ts';
import { createTestOperator } from './test-operators.ts';

await runSlot(workerData, {
  ports: nodePorts,
  catalog: testCatalog(new Collected()),
  createOperator: createTestOperator,
});
