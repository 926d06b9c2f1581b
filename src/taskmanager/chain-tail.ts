import type { ColumnBatch, Counter, SinkWriter } from '../core/index.ts';
import type { ChainControl, ChainTail } from './chain.ts';
import type { EdgeWriter } from './exchange/edge-writer.ts';

const ignore = (): void => undefined;

/** Writes what reaches the end of a chain to a sink. */
export class SinkTail implements ChainTail {
  onReady: () => void = ignore;
  onFailure: (error: unknown) => void = ignore;
  readonly stepId: string;
  readonly #writer: SinkWriter;
  readonly #recordsIn: Counter;
  #batch: ColumnBatch | null = null;
  #row = 0;
  #isAwaiting = false;
  #flush: 'none' | 'running' | 'done' = 'none';

  constructor(writer: SinkWriter, stepId: string, recordsIn: Counter) {
    this.#writer = writer;
    this.stepId = stepId;
    this.#recordsIn = recordsIn;
  }

  offer(batch: ColumnBatch): void {
    this.#batch = batch;
    this.#row = 0;
  }

  take(): boolean {
    const batch = this.#batch;
    if (batch === null) return true;
    if (this.#isAwaiting) return false;
    const next = this.#writer.write(batch, this.#row);
    this.#recordsIn.value += next - this.#row;
    this.#row = next;
    if (next >= batch.rowCount) {
      this.#batch = null;
      return true;
    }
    this.#await(this.#writer.writable());
    return false;
  }

  control(control: ChainControl): boolean {
    if (control.kind === 'flush') this.#writer.poke();
    if (control.kind !== 'end-of-input') return true;
    if (this.#flush === 'none') {
      this.#flush = 'running';
      this.#await(
        this.#writer.flush().then(() => {
          this.#flush = 'done';
        }),
      );
    }
    return this.#isFlushed();
  }

  /**
   * Notices a write that failed while no further input comes to notice it by. Called now and then, and only while
   * rows may be on their way.
   */
  checkHealth(): void {
    if (!this.#isAwaiting) this.#await(this.#writer.writable());
  }

  #isFlushed(): boolean {
    return this.#flush === 'done';
  }

  #await(promise: Promise<void>): void {
    this.#isAwaiting = true;
    promise.then(
      () => {
        this.#isAwaiting = false;
        this.onReady();
      },
      (error: unknown) => {
        this.onFailure(error);
      },
    );
  }
}

/** Hands what reaches the end of a chain to every edge that leads on. */
export class ExchangeTail implements ChainTail {
  onReady: () => void = ignore;
  onFailure: (error: unknown) => void = ignore;
  readonly stepId: string;
  readonly #writers: readonly EdgeWriter[];
  /** Per edge, whether it has the present control element. */
  readonly #hasControl: boolean[];

  constructor(writers: readonly EdgeWriter[], stepId: string) {
    this.#writers = writers;
    this.stepId = stepId;
    this.#hasControl = writers.map(() => false);
    for (const writer of writers) writer.onReady = () => this.onReady();
  }

  offer(batch: ColumnBatch): void {
    for (const writer of this.#writers) writer.offer(batch);
  }

  take(): boolean {
    let isDone = true;
    for (const writer of this.#writers) if (!writer.pump()) isDone = false;
    return isDone;
  }

  control(control: ChainControl): boolean {
    if (control.kind === 'flush') {
      for (const writer of this.#writers) writer.flush();
      return true;
    }
    for (let index = 0; index < this.#writers.length; index++) {
      this.#hasControl[index] ||= this.#writers[index]?.control(control) === true;
    }
    if (!this.#hasControl.every(Boolean)) return false;
    this.#hasControl.fill(false);
    return true;
  }
}
