import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

import manifest from '../../package.json' with { type: 'json' };
import { nodePorts, nodeWorkerHost } from '../core/node-ports.ts';
import type { CommandContext } from './command-context.ts';
import { exitCodes } from './exit-codes.ts';
import { importUserModule, modulesBehind } from './import-user-module.ts';
import { processEnvironment } from './process-environment.ts';

/** The real world, for a command of this process. */
export function nodeContext(): CommandContext {
  // The worker's file has the ending of this one: .ts in a checkout, .js in a package.
  const slotWorker = import.meta.url.endsWith('.ts') ? './slot-worker.ts' : './slot-worker.js';
  const environment = processEnvironment();
  // Threads do not share the compiled code that the process keeps, unless they are told: they would take three times as
  // long to start.
  const cache = getCompileCacheDir();
  const compiled = cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) };
  return {
    ports: nodePorts,
    environment,
    slotThreads: nodeWorkerHost(new URL(slotWorker, import.meta.url), { ...environment.variables, ...compiled }),
    importModule: importUserModule,
    modulesBehind,
    async startProgram(args) {
      // Imported late: one command needs it.
      const { startProgram } = await import('./start-program.ts');
      return startProgram(environment.script, args);
    },
    version: manifest.version,
    exitCode: exitCodes.ok,
  };
}
