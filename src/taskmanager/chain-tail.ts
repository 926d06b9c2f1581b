import type { ColumnBatch, Committable, Counter, CrashPoints, SinkWriter } from '../core/index.ts';
import type { ChainControl, ChainTail } from './chain.ts';
import type { EdgeWriter } from './exchange/edge-writer.ts';

const ignore = (): void => undefined;

export interface SinkTailParts {
  readonly writer: SinkWriter;
  readonly stepId: string;
  readonly recordsIn: Counter;
  /** Whether the job takes checkpoints: what is written is committed with them, where the writer can do that. */
  readonly takesCheckpoints: boolean;
  /** The checkpoint that the subtask is restored from; 0 for none. */
  readonly restoredId: number;
  readonly crashPoints: CrashPoints | undefined;
}

/** Writes what reaches the end of a chain to a sink. */
export class SinkTail implements ChainTail {
  onReady: () => void = ignore;
  onFailure: (error: unknown) => void = ignore;
  readonly stepId: string;
  committables: readonly Committable[] = [];
  readonly #parts: SinkTailParts;
  readonly #writer: SinkWriter;
  readonly #recordsIn: Counter;
  #batch: ColumnBatch | null = null;
  #row = 0;
  #isAwaiting = false;
  #lastBarrierId: number;
  /** Making durable what was written, for a barrier or the end of input. */
  #settling: 'none' | 'running' | 'done' = 'none';

  constructor(parts: SinkTailParts) {
    this.#parts = parts;
    this.#writer = parts.writer;
    this.stepId = parts.stepId;
    this.#recordsIn = parts.recordsIn;
    this.#lastBarrierId = parts.restoredId;
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
    switch (control.kind) {
      case 'flush':
        this.#writer.poke();
        return true;
      case 'watermark':
      case 'latency-marker':
        return true;
      case 'barrier':
        this.#lastBarrierId = control.checkpointId;
        return this.#isSettled(control.checkpointId);
      case 'end-of-input':
        return this.#isSettled(this.#lastBarrierId + 1);
    }
  }

  /**
   * Notices a write that failed while no further input comes to notice it by. Called now and then, and only while
   * rows may be on their way.
   */
  checkHealth(): void {
    if (!this.#isAwaiting && this.#settling !== 'running') this.#await(this.#writer.writable());
  }

  /** Whether all that was written is durable; sees to it. */
  #isSettled(checkpointId: number): boolean {
    if (this.#settling === 'none') {
      this.#settling = 'running';
      this.#await(this.#settle(checkpointId));
    }
    if (this.#settling === 'running') return false;
    this.#settling = 'none';
    return true;
  }

  async #settle(checkpointId: number): Promise<void> {
    const { committing } = this.#writer;
    if (committing === undefined || !this.#parts.takesCheckpoints) await this.#writer.flush();
    else {
      this.committables = await committing.prepareCommit(checkpointId);
      this.#parts.crashPoints?.reached('transaction-flushed');
    }
    this.#settling = 'done';
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
  readonly committables: readonly Committable[] = [];
  readonly #writers: readonly EdgeWriter[];
  /** Per edge, the side whose rows it takes; null for the output. */
  readonly #sides: readonly (string | null)[];
  /** Per edge, whether it has the present control element. */
  readonly #hasControl: boolean[];

  constructor(writers: readonly EdgeWriter[], stepId: string, sides: readonly (string | null)[]) {
    this.#writers = writers;
    this.#sides = sides;
    this.stepId = stepId;
    this.#hasControl = writers.map(() => false);
    for (const writer of writers) writer.onReady = () => this.onReady();
  }

  offer(batch: ColumnBatch, side: string | null): void {
    for (let index = 0; index < this.#writers.length; index++) {
      if (this.#sides[index] === side) this.#writers[index]?.offer(batch);
    }
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
