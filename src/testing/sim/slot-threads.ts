import type { ConnectorCatalog, Ports, WorkerHost } from '../../core/index.ts';
import { runSlot } from '../../taskmanager/index.ts';
import type { SlotDependencies } from '../../taskmanager/index.ts';
import { createTestOperator } from '../test-operators.ts';
import { SimulatedThread } from './context.ts';
import type { SimulatedProcess } from './context.ts';
import { SimulatedPort } from './message-channels.ts';

/** A thread has to be started, and to load what it runs. */
const LEAST_START_MS = 20;
const LONGEST_START_MS = 400;

export interface SlotThreadsOptions {
  readonly process: SimulatedProcess;
  readonly portsOf: (thread: SimulatedThread) => Ports;
  readonly catalogOf: (thread: SimulatedThread) => ConnectorCatalog;
  readonly openStorage: (thread: SimulatedThread) => NonNullable<SlotDependencies['openStorage']>;
  readonly onStart: (slot: string, thread: SimulatedThread) => void;
  readonly onEnd: (slot: string, thread: SimulatedThread) => void;
  /** Says that a thread has ended when it is asked to end, while it goes on: breaks on purpose. */
  readonly endsTooEarly: boolean;
}

interface Start {
  readonly slotId: string;
  readonly control: unknown;
}

/** Runs the slots of a simulated TaskManager: the real runtime of tasks, in threads that can be ended. */
export function slotThreads(options: SlotThreadsOptions): WorkerHost {
  const { process } = options;
  const { world } = process;
  return {
    start(_name, data) {
      const { slotId, control } = data as Start;
      const thread = new SimulatedThread(process);
      let onExit: (error: Error | null) => void = () => undefined;
      let hasExited = false;
      const tell = (error: Error | null): void => {
        if (hasExited) return;
        hasExited = true;
        process.perform(() => onExit(error));
      };
      const exit = (error: Error | null): void => {
        if (!thread.isAlive) return;
        thread.end();
        options.onEnd(slotId, thread);
        tell(error);
      };
      if (control instanceof SimulatedPort) {
        control.owner = thread;
        if (options.endsTooEarly) feignEnd(control, tell);
      }
      options.onStart(slotId, thread);
      world.schedule(world.between(LEAST_START_MS, LONGEST_START_MS), () => {
        thread.perform(() => {
          const ports = options.portsOf(thread);
          const catalog = options.catalogOf(thread);
          const dependencies = { ports, catalog, createOperator: createTestOperator };
          runSlot(data, { ...dependencies, openStorage: options.openStorage(thread) }).then(
            () => exit(null),
            (error: unknown) => exit(error instanceof Error ? error : new Error(String(error))),
          );
        });
      });
      return {
        post: () => undefined,
        onMessage: () => undefined,
        onExit: (listener) => {
          onExit = listener;
        },
        terminate() {
          exit(new Error('the slot was terminated'));
          return Promise.resolve();
        },
      };
    },
  };
}

/** Answers for the thread, which is not told. */
function feignEnd(control: SimulatedPort, exited: (error: null) => void): void {
  control.intercept = (message) => {
    const { kind, attemptId } = message as { readonly kind: string; readonly attemptId?: string };
    if (kind === 'cancel') control.postMessage({ kind: 'state', attemptId, state: 'CANCELED', error: null });
    if (kind === 'stop') exited(null);
    return kind === 'cancel' || kind === 'stop';
  };
}
