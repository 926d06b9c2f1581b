import type { ColumnBatch, Committable, Counter, CrashPoints, InFlightRoute, SinkWriter } from '../core/index.ts';
import type { ChainControl, ChainTail } from './chain.ts';
import type { RowsAside } from './checkpoints/rows-aside.ts';
import type { ControlElement, FrameTaker } from './exchange/channel.ts';
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
  /** Where rows go that the sink has no room for while a checkpoint waits; null where their order matters too much. */
  readonly aside: RowsAside | null;
}

/** Writes what reaches the end of a chain to a sink. */
export class SinkTail implements ChainTail {
  onReady: () => void = ignore;
  onFailure: (error: unknown) => void = ignore;
  /** Where copies of rows go that a barrier overtakes. */
  overtaken: (route: InFlightRoute, frame: ArrayBuffer) => void = ignore;
  readonly stepId: string;
  committables: readonly Committable[] = [];
  readonly #parts: SinkTailParts;
  readonly #writer: SinkWriter;
  readonly #recordsIn: Counter;
  #batch: ColumnBatch | null = null;
  #row = 0;
  /** The writer has no room until a promise says so. */
  #isFull = false;
  #isHurried = false;
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
    if (this.settle() && !this.#isFull) {
      this.#row = this.#write(batch, this.#row);
      if (this.#row >= batch.rowCount) {
        this.#batch = null;
        return true;
      }
    }
    const { aside } = this.#parts;
    if (!this.#isHurried || aside?.hasRoom !== true) return false;
    aside.add(batch, this.#row);
    this.#batch = null;
    return true;
  }

  settle(): boolean {
    const { aside } = this.#parts;
    for (let rows = aside?.current ?? null; rows !== null; rows = aside?.current ?? null) {
      if (this.#isFull || this.#settling === 'running') return false;
      aside?.written(this.#write(rows.batch, rows.row));
    }
    return true;
  }

  hurry(): void {
    this.#isHurried = true;
  }

  calm(): void {
    this.#isHurried = false;
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
        // What is set aside is overtaken.
        if (control.mode !== 'unaligned' && !this.settle()) return false;
        this.#lastBarrierId = control.checkpointId;
        if (!this.#isSettled(control.checkpointId)) return false;
        if (control.mode === 'unaligned') this.#parts.aside?.record(this.overtaken);
        return true;
      case 'end-of-input':
        return this.settle() && this.#isSettled(this.#lastBarrierId + 1);
    }
  }

  /**
   * Notices a write that failed while no further input comes to notice it by. Called now and then, and only while
   * rows may be on their way.
   */
  checkHealth(): void {
    if (!this.#isFull && this.#settling !== 'running') this.#awaitRoom();
  }

  /** Writes rows from `row` on; returns the next one. */
  #write(batch: ColumnBatch, row: number): number {
    const next = this.#writer.write(batch, row);
    this.#recordsIn.value += next - row;
    if (next < batch.rowCount) this.#awaitRoom();
    return next;
  }

  #awaitRoom(): void {
    this.#isFull = true;
    this.#await(this.#writer.writable(), () => {
      this.#isFull = false;
    });
  }

  /** Whether all that was written is durable; sees to it. */
  #isSettled(checkpointId: number): boolean {
    if (this.#settling === 'none') {
      this.#settling = 'running';
      this.#await(this.#settle(checkpointId), () => {
        this.#settling = 'done';
      });
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
  }

  #await(promise: Promise<void>, then: () => void): void {
    promise.then(
      () => {
        then();
        this.onReady();
      },
      (error: unknown) => {
        this.onFailure(error);
      },
    );
  }
}

/** The way of an edge's rows from this subtask to one of its receivers. */
export type RouteTo = (receiver: number) => InFlightRoute;

/** Hands what reaches the end of a chain to every edge that leads on. */
export class ExchangeTail implements ChainTail {
  onReady: () => void = ignore;
  onFailure: (error: unknown) => void = ignore;
  /** Where copies of rows go that a barrier overtakes. */
  overtaken: (route: InFlightRoute, frame: ArrayBuffer) => void = ignore;
  readonly stepId: string;
  readonly committables: readonly Committable[] = [];
  readonly #writers: readonly EdgeWriter[];
  /** Per edge, the side whose rows it takes; null for the output. */
  readonly #sides: readonly (string | null)[];
  /** Per edge, the way to a receiver. */
  readonly #routes: readonly RouteTo[];
  /** Per edge, whether it has the present control element. */
  readonly #hasControl: boolean[];

  constructor(
    writers: readonly EdgeWriter[],
    stepId: string,
    sides: readonly (string | null)[],
    routes: readonly RouteTo[],
  ) {
    this.#writers = writers;
    this.#sides = sides;
    this.#routes = routes;
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
      this.#hasControl[index] ||= this.#send(index, control);
    }
    if (!this.#hasControl.every(Boolean)) return false;
    this.#hasControl.fill(false);
    return true;
  }

  hurry(checkpointId: number): void {
    for (const writer of this.#writers) writer.hurry(checkpointId);
  }

  calm(): void {
    for (const writer of this.#writers) writer.calm();
  }

  settle(): boolean {
    // What waits in line leaves as credit returns. Else every checkpoint would let a blocked chain get further ahead.
    for (const writer of this.#writers) if (!writer.isSettled) return false;
    return true;
  }

  #send(index: number, control: ControlElement): boolean {
    const writer = this.#writers[index] as EdgeWriter;
    if (control.kind !== 'barrier' || control.mode !== 'unaligned') return writer.control(control);
    return writer.overtake(control, (receiver) => this.#takerOf(index, receiver));
  }

  #takerOf(index: number, receiver: number): FrameTaker {
    const route = (this.#routes[index] as RouteTo)(receiver);
    return { isOver: false, take: (frame) => this.overtaken(route, frame), end: ignore };
  }
}
