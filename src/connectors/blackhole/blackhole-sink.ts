import { counterNames, defineOptions } from '../../core/index.ts';
import type { ColumnBatch, Counter, SinkConnector, SinkWriter, WriterContext } from '../../core/index.ts';

/** Takes everything and keeps nothing: for measurements. The rows are counted. */
export const blackholeSink: SinkConnector = Object.freeze({
  kind: 'sink',
  name: 'blackhole',
  doc: 'Counts rows and drops them.',
  options: defineOptions({}),
  formatUse: 'none',
  example: '',
  acceptedModes: () => ['append', 'upsert', 'retract'],
  check: () => [],
  prepare: () => Promise.resolve(),
  createWriter: () => new BlackholeWriter(),
} satisfies SinkConnector);

class BlackholeWriter implements SinkWriter {
  #recordsOut: Counter = { value: 0 };

  open(context: WriterContext): Promise<void> {
    this.#recordsOut = context.counter(counterNames.recordsOut.name);
    return Promise.resolve();
  }

  write(batch: ColumnBatch, fromRow: number): number {
    this.#recordsOut.value += batch.rowCount - fromRow;
    return batch.rowCount;
  }

  writable(): Promise<void> {
    return Promise.resolve();
  }

  poke(): void {
    // Nothing is buffered.
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
