/* The module that the thread of every slot runs. */
import { flushCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';

import { nodePorts } from '../core/node-ports.ts';
import { createOperator } from '../operators/index.ts';
import { runSlot } from '../taskmanager/index.ts';
import { catalog } from './catalog.ts';
import { CRASH_POINT_VARIABLE, crashPointsOf } from './crash-points.ts';
import { loadCode } from './load-code.ts';
import { processEnvironment } from './process-environment.ts';

// The next thread starts faster, however this one ends.
flushCompileCache();
const environment = processEnvironment();
const setting = environment.variables[CRASH_POINT_VARIABLE];
const ports = { ...nodePorts, ...crashPointsOf(setting, () => environment.killNow()) };
await runSlot(workerData, {
  ports,
  catalog,
  createOperator: (node) => createOperator(node, loadCode, catalog.lookups),
});
