/* The module of a slot's thread in tests. */
import { flushCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';

import { nodePorts } from '../core/node-ports.ts';
import { runSlot } from '../taskmanager/index.ts';
import { Collected } from './collect-sink.ts';
import { testCatalog } from './mini-cluster.ts';
import { createTestOperator } from './test-operators.ts';

// The next thread starts faster, however this one ends.
flushCompileCache();
await runSlot(workerData, {
  ports: nodePorts,
  catalog: testCatalog(new Collected()),
  createOperator: createTestOperator,
});
