/**
 * What readers and writers are handed in tests: counters, a clock that stands still, nothing behind the other ports.
 */
import type {
  Clock,
  ColumnBatch,
  Counter,
  Ports,
  ReaderContext,
  RecordErrorHandler,
  Timer,
} from '../core/index.ts';

interface Pending {
  readonly dueMs: number;
  readonly run: () => void;
}

/** Time passes only by runNext(). */
class ManualClock implements Clock {
  #nowMs = 0;
  #pending: Pending[] = [];

  nowMs(): number {
    return 1_767_225_600_000 + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, run: () => void): Timer {
    const pending = { dueMs: this.#nowMs + delayMs, run };
    this.#pending.push(pending);
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((each) => each !== pending);
      },
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.schedule(delayMs, resolve);
    });
  }

  /** Goes to the next timer and runs it; false where there is none. */
  runNext(): boolean {
    const next = this.#pending.reduce<Pending | null>(
      (first, each) => (first === null || each.dueMs < first.dueMs ? each : first),
      null,
    );
    if (next === null) return false;
    this.#pending = this.#pending.filter((each) => each !== next);
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    next.run();
    return true;
  }
}

export interface TestContext extends ReaderContext {
  readonly clock: ManualClock;
  readonly counters: ReadonlyMap<string, Counter>;
  /** Record errors that were handled, as `step: message (position)`. */
  readonly failures: readonly string[];
}

export function testContext(ports: Partial<Ports> = {}, subtaskIndex = 0, failOnError = true): TestContext {
  const clock = new ManualClock();
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
    clock, counters, failures, errors,
    ports: {
      clock, randomness: none, macrotasks: none, files: none, network: none, streams: none, channels: none, ...ports,
    },
    counter(name) {
      const known = counters.get(name) ?? { value: 0 };
      counters.set(name, known);
      return known;
    },
  };
}
