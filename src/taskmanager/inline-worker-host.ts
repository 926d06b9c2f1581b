import type { WorkerHost } from '../core/index.ts';

/**
 * Runs slots on the calling thread, for tests and simulations: the same messages over the same ports, but nothing
 * protects the caller from a step that never returns. `run` is what the module of a thread would do with its data.
 */
export function inlineWorkerHost(run: (data: unknown) => Promise<void>): WorkerHost {
  return {
    start(_name, data) {
      let hasExited = false;
      let onExit: (error: Error | null) => void = () => undefined;
      const exit = (error: Error | null): void => {
        if (hasExited) return;
        hasExited = true;
        onExit(error);
      };
      run(data).then(
        () => {
          exit(null);
        },
        (error: unknown) => {
          exit(error instanceof Error ? error : new Error(String(error)));
        },
      );
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
