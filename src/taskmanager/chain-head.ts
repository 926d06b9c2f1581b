import type { Counter, SourceReader } from '../core/index.ts';
import type { Chain } from './chain.ts';
import type { InputGate } from './exchange/input-gate.ts';

/** The first part of a chain: a source, or the exchanges that feed it. */
export interface ChainHead {
  /** The step that failures of pull() belong to. */
  readonly stepId: string;
  /** Called when pull() may have something. */
  onReady: () => void;
  /**
   * Feeds an idle chain: `fed` with a batch or a control element, `ended` with the end of input; `empty` where nothing
   * is at hand until onReady is called. Gives the last batch back first. Throws what went wrong since.
   */
  pull(chain: Chain): 'fed' | 'empty' | 'ended';
}

export class SourceHead implements ChainHead {
  onReady: () => void = () => undefined;
  readonly stepId: string;
  readonly #reader: SourceReader;
  readonly #recordsOut: Counter;
  #isAwaiting = false;
  #failure: { readonly error: unknown } | null = null;

  constructor(reader: SourceReader, stepId: string, recordsOut: Counter) {
    this.#reader = reader;
    this.stepId = stepId;
    this.#recordsOut = recordsOut;
  }

  pull(chain: Chain): 'fed' | 'empty' | 'ended' {
    if (this.#failure !== null) throw this.#failure.error;
    const batch = this.#reader.poll();
    if (batch !== null) {
      this.#recordsOut.value += batch.rowCount;
      chain.offer(batch, 0);
      return 'fed';
    }
    if (this.#reader.isFinished) {
      chain.start({ kind: 'end-of-input' });
      return 'ended';
    }
    this.#await();
    return 'empty';
  }

  #await(): void {
    if (this.#isAwaiting) return;
    this.#isAwaiting = true;
    this.#reader.available().then(
      () => {
        this.#isAwaiting = false;
        this.onReady();
      },
      (error: unknown) => {
        this.#isAwaiting = false;
        this.#failure = { error };
        this.onReady();
      },
    );
  }
}

export class GateHead implements ChainHead {
  onReady: () => void = () => undefined;
  readonly stepId: string;
  readonly #gate: InputGate;

  constructor(gate: InputGate, stepId: string) {
    this.#gate = gate;
    this.stepId = stepId;
    gate.onElement = () => this.onReady();
  }

  pull(chain: Chain): 'fed' | 'empty' | 'ended' {
    const element = this.#gate.poll();
    if (element === null) return 'empty';
    if (element.kind === 'batch') {
      chain.offer(element.batch, this.#gate.input);
      return 'fed';
    }
    chain.start(element);
    return element.kind === 'end-of-input' ? 'ended' : 'fed';
  }
}
