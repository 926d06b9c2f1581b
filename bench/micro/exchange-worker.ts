/* The module of a slot's thread in the benchmark of exchanges. */
import { workerData } from 'node:worker_threads';

import { nodePorts } from '../../src/core/node-ports.ts';
import { runSlot } from '../../src/taskmanager/index.ts';
import { benchCatalog } from './exchange-connectors.ts';

await runSlot(workerData, {
  ports: nodePorts,
  catalog: benchCatalog,
  createOperator: () => {
    throw new Error('this benchmark has no operators');
  },
});
