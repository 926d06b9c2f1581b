import { describeOrigin, rowsOf } from '../core/index.ts';
import type { ColumnBatch, SinkConnector, SinkSpec, SinkWriter, Value, WriterContext } from '../core/index.ts';

export interface CollectedRow {
  readonly sink: string;
  readonly subtaskIndex: number;
  readonly row: readonly Value[];
  readonly position: string | null;
}

/** What the collect sinks of one test have taken, while its slots run inline. */
export class Collected {
  readonly rows: CollectedRow[] = [];
  /** Flushes of writers: each one is after all rows of its subtask. */
  flushes = 0;
  closes = 0;
}

/**
 * A sink that keeps its rows in `collected` and counts them (`testRows`), and sums the first field (`testSum`).
 * Options: `rowsPerMs` (takes no more than so many, then is full until a timer has fired), `blocked` (full for ever),
 * `hangFlush`, `failFlush`, `failLaterMs` (what was taken turns out to be lost after so long), `failAt` (fails to take
 * this row of its own), `failPrepare`.
 */
export function collectSink(collected: Collected): SinkConnector {
  return {
    kind: 'sink',
    name: 'collect',
    doc: 'Keeps rows for a test.',
    options: {},
    formatUse: 'none',
    example: '',
    acceptedModes: () => ['append'],
    check: () => [],
    prepare: (spec) =>
      spec.options['failPrepare'] === true ? Promise.reject(new Error('no such place')) : Promise.resolve(),
    createWriter: (spec) => new CollectWriter(spec, collected),
  };
}

class CollectWriter implements SinkWriter {
  readonly #spec: SinkSpec;
  readonly #collected: Collected;
  readonly #chunk: number;
  readonly #failAt: number;
  #context: WriterContext | null = null;
  #room: number;
  #taken = 0;
  #isLost = false;

  constructor(spec: SinkSpec, collected: Collected) {
    this.#spec = spec;
    this.#collected = collected;
    const { rowsPerMs, blocked, failAt } = spec.options;
    this.#chunk = blocked === true ? 0 : typeof rowsPerMs === 'number' ? rowsPerMs : Infinity;
    this.#failAt = typeof failAt === 'number' ? failAt : Infinity;
    this.#room = this.#chunk;
  }

  open(context: WriterContext): Promise<void> {
    this.#context = context;
    const { failLaterMs } = this.#spec.options;
    if (typeof failLaterMs === 'number') {
      context.ports.clock.schedule(failLaterMs, () => {
        this.#isLost = true;
      });
    }
    return Promise.resolve();
  }

  write(batch: ColumnBatch, fromRow: number): number {
    const { stepId, subtaskIndex } = this.#context as WriterContext;
    const end = Math.min(batch.rowCount, fromRow + this.#room);
    this.#room -= end - fromRow;
    const rows = rowsOf(batch);
    for (let index = fromRow; index < end; index++) {
      if (this.#taken === this.#failAt) throw new Error('the disk is full');
      const row = rows[index] ?? [];
      this.#collected.rows.push({ sink: stepId, subtaskIndex, row, position: describeOrigin(batch, index) });
      this.#count('testRows', 1);
      this.#count('testSum', Number(row[0]));
      this.#taken++;
    }
    return end;
  }

  async writable(): Promise<void> {
    if (this.#isLost) throw new Error('the broker has gone');
    if (this.#chunk === 0) await new Promise(() => undefined);
    if (this.#room > 0) return;
    await this.#context?.ports.clock.sleep(1);
    this.#room = this.#chunk;
  }

  poke(): void {
    this.#count('testPokes', 1);
  }

  flush(): Promise<void> {
    if (this.#spec.options['hangFlush'] === true) return new Promise(() => undefined);
    if (this.#spec.options['failFlush'] === true) return Promise.reject(new Error('the last write was lost'));
    this.#collected.flushes++;
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#collected.closes++;
    return Promise.resolve();
  }

  #count(name: string, by: number): void {
    const counter = this.#context?.counter(name);
    if (counter !== undefined) counter.value += by;
  }
}
