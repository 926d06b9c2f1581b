/** What readers and writers are handed in tests: counters, and nothing behind the ports that a test does not give. */
import type { ColumnBatch, Counter, Ports, ReaderContext, RecordErrorHandler } from '../core/index.ts';

export interface TestContext extends ReaderContext {
  readonly counters: ReadonlyMap<string, Counter>;
  /** Record errors that were handled, as `step: message (position)`. */
  readonly failures: readonly string[];
}

export function testContext(ports: Partial<Ports> = {}, subtaskIndex = 0, failOnError = true): TestContext {
  const counters = new Map<string, Counter>();
  const failures: string[] = [];
  const errors: RecordErrorHandler = {
    handle(batch: ColumnBatch, row: number, stepId: string, error: unknown) {
      if (failOnError) throw error;
      const at = batch.originRows === null ? row : (batch.originRows[row] ?? -1);
      const message = error instanceof Error ? error.message : String(error);
      failures.push(`${stepId}: ${message} (${batch.origin?.describe(at) ?? 'nowhere'})`);
    },
  };
  const none = new Proxy({}, {
    get: (_target, name) => () => {
      throw new Error(`the test gives no port for ${String(name)}`);
    },
  }) as never;
  return {
    jobName: 'test', stepId: 'step', subtaskIndex, parallelism: 1, maxParallelism: 128, rack: null, run: null,
    counters, failures, errors,
    ports: {
      clock: none, randomness: none, macrotasks: none, files: none, network: none, streams: none, channels: none,
      ...ports,
    },
    counter(name) {
      const known = counters.get(name) ?? { value: 0 };
      counters.set(name, known);
      return known;
    },
  };
}
