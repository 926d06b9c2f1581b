import type { InFlightRoute } from '../../core/index.ts';
import type { FrameTaker } from '../exchange/channel.ts';

/** A batch that a barrier has overtaken. */
export interface OvertakenFrame {
  readonly route: InFlightRoute;
  readonly frame: ArrayBuffer;
}

/**
 * The batches that the barrier of one checkpoint has overtaken at one subtask, on their way to the state file. They
 * come until the barrier has left the chain, and has arrived on all channels.
 */
export class InFlightRows {
  /** Called when next() may have something, or nothing comes any more. */
  onChange: () => void = () => undefined;
  readonly #frames: OvertakenFrame[] = [];
  #open = 1;
  #isOver = false;
  sizeBytes = 0;

  /** Whether next() gives all that there will ever be. */
  get isComplete(): boolean {
    return this.#open === 0;
  }

  next(): OvertakenFrame | null {
    return this.#frames.shift() ?? null;
  }

  take(route: InFlightRoute, frame: ArrayBuffer): void {
    if (this.#isOver) return;
    this.#frames.push({ route, frame });
    this.sizeBytes += frame.byteLength;
    this.onChange();
  }

  /** Of one channel, until its end(). */
  takerOf(route: InFlightRoute): FrameTaker {
    const isOver = (): boolean => this.#isOver;
    this.#open++;
    return {
      get isOver() {
        return isOver();
      },
      take: (frame) => this.take(route, frame),
      end: () => this.end(),
    };
  }

  /** The barrier has left the chain, or a channel has nothing more. */
  end(): void {
    this.#open--;
    this.onChange();
  }

  /** Nobody wants them any more. */
  abandon(): void {
    this.#isOver = true;
    this.#frames.length = 0;
  }
}
