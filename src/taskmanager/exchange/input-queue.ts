import type { Barrier, ControlElement, FrameTaker } from './channel.ts';
import { ignore } from './channel.ts';

/** Something that has arrived: a batch in the channel's own form, or a control element. */
interface Arrived<Batch> {
  readonly batch: Batch | null;
  readonly control: ControlElement | null;
  /** It took no credit. */
  readonly isFree: boolean;
}

interface Recording {
  readonly checkpointId: number;
  readonly taker: FrameTaker;
}

/** What waits at the receiving end of a channel, and who copies it when a barrier overtakes it. */
export class InputQueue<Batch> {
  onElement: () => void = ignore;
  onBarrier: (barrier: Barrier) => void = ignore;
  readonly #copy: (batch: Batch) => ArrayBuffer;
  readonly #giveBack: () => void;
  readonly #waiting: Arrived<Batch>[] = [];
  #recording: Recording | null = null;

  /** `copy` makes a frame of a batch; `giveBack` returns the credit of a barrier that is taken out. */
  constructor(copy: (batch: Batch) => ArrayBuffer, giveBack: () => void) {
    this.#copy = copy;
    this.#giveBack = giveBack;
  }

  pushBatch(batch: Batch): void {
    const recording = this.#recording;
    if (recording !== null) {
      if (recording.taker.isOver) this.#recording = null;
      else recording.taker.take(this.#copy(batch));
    }
    this.#waiting.push({ batch, control: null, isFree: false });
    this.onElement();
  }

  pushControl(control: ControlElement, isFree: boolean): void {
    if (control.kind === 'barrier' && this.#recording?.checkpointId === control.checkpointId) {
      this.#endRecording();
      if (!isFree) this.#giveBack();
      return;
    }
    if (control.kind === 'end-of-input') this.#endRecording();
    this.#waiting.push({ batch: null, control, isFree });
    if (control.kind === 'barrier') this.onBarrier(control);
    this.onElement();
  }

  shift(): Arrived<Batch> | null {
    return this.#waiting.shift() ?? null;
  }

  record(checkpointId: number, taker: FrameTaker): void {
    this.#recording = null;
    for (let index = 0; index < this.#waiting.length; index++) {
      const { batch, control, isFree } = this.#waiting[index] as Arrived<Batch>;
      if (batch !== null) taker.take(this.#copy(batch));
      const isBarrier = control?.kind === 'barrier' && control.checkpointId === checkpointId;
      if (!isBarrier && control?.kind !== 'end-of-input') continue;
      if (isBarrier) {
        this.#waiting.splice(index, 1);
        if (!isFree) this.#giveBack();
      }
      taker.end();
      return;
    }
    this.#recording = { checkpointId, taker };
  }

  close(): void {
    this.onElement = ignore;
    this.onBarrier = ignore;
    this.#recording = null;
  }

  clear(): void {
    this.#waiting.length = 0;
  }

  #endRecording(): void {
    this.#recording?.taker.end();
    this.#recording = null;
  }
}
