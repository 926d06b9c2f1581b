import type { ProcessContext, UserRow } from '../../core/index.ts';
import { codeErrors } from './code-errors.ts';
import type { EmittedRows } from './emitted-rows.ts';
import { describeGiven } from './user-values.ts';

/** What user code asks of the step that runs it. */
export interface ContextServices {
  readonly stepId: string;
  readonly output: EmittedRows;
  /** By name; null where nobody reads the side. */
  readonly sides: ReadonlyMap<string, EmittedRows | null>;
  /** The key's fields of the present call. */
  readonly readKey: () => UserRow;
  readonly nowMs: () => number;
  /** Throws where the step has none of these timers. */
  readonly timers: (isEventTime: boolean, isSetting: boolean, timeMs: number) => void;
}

/** The one object that all calls get. What it does may be taken out of it: `const { emit } = context`. */
export class StepContext implements ProcessContext {
  /** NaN where there is none. */
  timestampMs = NaN;
  watermark = -Infinity;
  /** The row of the batch that the present call is about. */
  originRow = 0;
  readonly #services: ContextServices;
  readonly #output: EmittedRows;
  #key: UserRow | null = null;

  constructor(services: ContextServices) {
    this.#services = services;
    this.#output = services.output;
  }

  begin(timestampMs: number, originRow: number): void {
    this.timestampMs = timestampMs;
    this.originRow = originRow;
    this.#key = null;
  }

  get key(): UserRow {
    return (this.#key ??= this.#services.readKey());
  }

  get timestamp(): number | null {
    const { timestampMs } = this;
    return timestampMs === timestampMs ? timestampMs : null;
  }

  get now(): number {
    return this.#services.nowMs();
  }

  readonly emit = (row: UserRow): void => {
    this.#output.add(row, this.timestampMs, this.originRow);
  };

  readonly emitTo = (side: string, row: object): void => {
    const rows = this.#services.sides.get(side);
    if (rows === undefined) {
      const known = [...this.#services.sides.keys()].join(', ') || 'none';
      throw codeErrors.create('MR-CODE-SIDE', { step: this.#services.stepId, side: describeGiven(side), known });
    }
    rows?.add(row, this.timestampMs, this.originRow);
  };

  readonly setEventTimer = (timestamp: number): void => {
    this.#services.timers(true, true, timestamp);
  };

  readonly deleteEventTimer = (timestamp: number): void => {
    this.#services.timers(true, false, timestamp);
  };

  readonly setTimer = (timestamp: number): void => {
    this.#services.timers(false, true, timestamp);
  };

  readonly deleteTimer = (timestamp: number): void => {
    this.#services.timers(false, false, timestamp);
  };
}
