/* The module that the thread of every slot runs. */
import { workerData } from 'node:worker_threads';

import { nodePorts } from '../core/node-ports.ts';
import { createOperator } from '../operators/index.ts';
import { runSlot } from '../taskmanager/index.ts';
import { catalog } from './catalog.ts';

await runSlot(workerData, { ports: nodePorts, catalog, createOperator });
