/**
 * One operator by itself, driven by hand: rows, watermarks, the clock and its alarms go in, rows and snapshots come
 * out. drive-operator.ts drives it in every way that a subtask may.
 *
 * As the chain's driver does, it goes back to an operator's input only when the receiver is done with what was emitted.
 */
import { nodePorts } from '../core/node-ports.ts';
import { KeyGroupWatermarks, keyGroupRuns, keyGroupsOf, subtaskOfKeyGroup } from '../core/index.ts';
import type {
  Counter,
  KeyGroupRuns,
  MillraceError,
  Operator,
  OperatorContext,
  OperatorState,
  Ports,
  RowSchema,
  SnapshotBasis,
  SpillSpace,
  StateChunk,
  StateSchema,
  StateSnapshot,
} from '../core/index.ts';
import { HarnessInput } from './harness-input.ts';
import type { InputRow } from './harness-input.ts';
import { HarnessErrors, HarnessOutput } from './harness-output.ts';
import type { OutputRow, RecordFailure } from './harness-output.ts';
import { ManualClock } from './manual-clock.ts';

const MAX_IDLE_CALLS = 1000;

export interface HarnessOptions {
  readonly create: () => Operator;
  /** One for all inputs, or one per input. */
  readonly input: RowSchema | readonly RowSchema[];
  /** All but the clock; the real ones where left out. The clock starts at what theirs says. */
  readonly ports?: Ports;
  readonly stepId?: string;
  readonly subtaskIndex?: number;
  readonly parallelism?: number;
  readonly maxParallelism?: number;
  /** Where the clock starts, if not by `ports`. */
  readonly nowMs?: number;
  /** Rows per batch. Default 1024. */
  readonly batchSize?: number;
  /** The sides that steps read, such as LATE_SIDE. Default: none. */
  readonly sides?: readonly string[];
  /** How many times `output.ready` is false after each batch that was emitted. Default 0. */
  readonly pauses?: number;
  /** The number of the first row, for origins. Default 0. */
  readonly firstRow?: number;
  /** What earlier subtasks remembered: of each, the key groups of this subtask are restored. */
  readonly restore?: readonly OperatorSnapshot[];
  /** Where entries go that memory has no room for. Default: nowhere. */
  readonly spill?: SpillSpace;
}

/** What one operator remembered, as a checkpoint would store it. */
export interface OperatorSnapshot {
  readonly schema: StateSchema;
  readonly chunks: readonly StateChunk[];
  /** The event time that it had reached; null before the first watermark. */
  readonly watermarkMs: number | null;
  /** The same of each of its key groups, of which some may have come further. */
  readonly reached?: KeyGroupRuns;
}

/** A snapshot that was begun: its chunks are taken one at a time, while the operator goes on. */
export interface PendingSnapshot {
  /** Takes the next chunk; false once all are taken. */
  next(): boolean;
  /** Takes the rest. */
  take(): OperatorSnapshot;
  /** As take(), where entries may have to be read from a disk first. */
  takeFromDisk(): Promise<OperatorSnapshot>;
  /** The checkpoint that has it has completed. */
  confirm(): void;
}

export class OperatorHarness {
  readonly #operator: Operator;
  readonly #options: HarnessOptions;
  readonly #clock: ManualClock;
  readonly #output: HarnessOutput;
  readonly #errors = new HarnessErrors();
  readonly #sideRows: ReadonlyMap<string, OutputRow[]>;
  readonly #inputs: readonly HarnessInput[];
  readonly #counters = new Map<string, Counter>();
  readonly #batchSize: number;
  /** Key groups that had come further than the subtask. */
  readonly #ahead: KeyGroupWatermarks | null = null;
  #alarmMs = Infinity;
  #watermarkMs = -Infinity;
  #rowCount: number;

  private constructor(options: HarnessOptions) {
    const { ports, nowMs = ports?.clock.nowMs() ?? 1_700_000_000_000, input } = options;
    const { batchSize = 1024, pauses = 0, firstRow = 0, restore = [] } = options;
    this.#options = options;
    this.#operator = options.create();
    this.#clock = new ManualClock(nowMs);
    this.#output = new HarnessOutput(pauses);
    this.#sideRows = new Map((options.sides ?? []).map((side) => [side, []]));
    this.#batchSize = batchSize;
    this.#rowCount = firstRow;
    if (restore.length > 0) this.#watermarkMs = Math.min(...restore.map(watermarkOf));
    const before = restore.map(({ reached = [] }) => new KeyGroupWatermarks(reached));
    const ahead = new KeyGroupWatermarks(this.#runsOf((group) => Math.max(...before.map((each) => each.of(group)))));
    if (ahead.latestMs > this.#watermarkMs) this.#ahead = ahead;
    const schemas = 'fields' in input ? [input] : input;
    this.#inputs = schemas.map((schema) => new HarnessInput(schema, batchSize));
  }

  /** A new operator, opened, and restored where the options say so. */
  static async open(options: HarnessOptions): Promise<OperatorHarness> {
    const harness = new OperatorHarness(options);
    await harness.#open();
    return harness;
  }

  /** What was emitted so far and not taken. */
  get rows(): readonly OutputRow[] {
    return this.#output.rows;
  }

  /** The rows of a side, so far; where `sides` has it. */
  sideRows(side: string): readonly OutputRow[] {
    return this.#sideRows.get(side) ?? [];
  }

  get failures(): readonly RecordFailure[] {
    return this.#errors.failures;
  }

  /** Why those records failed, in the same order. */
  get errors(): readonly MillraceError[] {
    return this.#errors.errors;
  }

  get hasState(): boolean {
    return this.#operator.state !== undefined;
  }

  /** What the operator says that its state takes. */
  get stateBytes(): number {
    return this.#state.sizeBytes;
  }

  /** When the operator wants to be woken; Infinity for never. */
  get alarmMs(): number {
    return this.#alarmMs;
  }

  get nowMs(): number {
    return this.#clock.nowMs();
  }

  /** The value of a counter of the step; 0 for one that nobody has made. */
  counter(name: string): number {
    return this.#counters.get(name)?.value ?? 0;
  }

  /** What was emitted since the last call. */
  takeRows(): readonly OutputRow[] {
    const { rows } = this.#output;
    this.#output.rows = [];
    return rows;
  }

  /** Processes rows in batches: a new one where the input changes. `onBatch` is called after each. */
  async process(rows: readonly InputRow[], onBatch: () => void = () => undefined): Promise<void> {
    for (let first = 0; first < rows.length;) {
      const batch = sameInput(rows, first, this.#batchSize);
      await this.#processBatch(batch);
      first += batch.length;
      onBatch();
    }
  }

  watermark(timestampMs: number): void {
    this.#checkWatermark(timestampMs);
    this.flush();
    this.#watermarkMs = timestampMs;
    this.#resume('onWatermark()', () => this.#operator.onWatermark?.(timestampMs) ?? true);
  }

  /** As watermark(), where entries may have to be read from a disk. */
  async watermarkFromDisk(timestampMs: number): Promise<void> {
    this.#checkWatermark(timestampMs);
    await this.flushFromDisk();
    this.#watermarkMs = timestampMs;
    await this.#resumeFromDisk('onWatermark()', () => this.#operator.onWatermark?.(timestampMs) ?? true);
  }

  /** Lets the clock go on, and alarms go off, each at its time. */
  advanceTo(nowMs: number): void {
    for (const now of this.#alarms(nowMs)) this.#resume('onTimer()', () => this.#operator.onTimer?.(now) ?? true);
  }

  /** As advanceTo(), where entries may have to be read from a disk. */
  async advanceToFromDisk(nowMs: number): Promise<void> {
    for (const now of this.#alarms(nowMs)) {
      await this.#resumeFromDisk('onTimer()', () => this.#operator.onTimer?.(now) ?? true);
    }
  }

  flush(): void {
    this.#resume('flush()', () => this.#operator.flush?.() ?? true);
  }

  /** As flush(), where entries may have to be read from a disk. */
  async flushFromDisk(): Promise<void> {
    await this.#resumeFromDisk('flush()', () => this.#operator.flush?.() ?? true);
  }

  /** The end of input. */
  finish(): void {
    this.flush();
    this.#resume('finish()', () => this.#operator.finish());
  }

  async close(): Promise<void> {
    await this.#operator.close();
  }

  /** The state as it is now. */
  snapshot(): OperatorSnapshot {
    return this.beginSnapshot().take();
  }

  /** Fixes the state as it is now, to be read while the operator goes on. */
  beginSnapshot(basis?: SnapshotBasis): PendingSnapshot {
    this.flush();
    const snapshot = this.#state.snapshot(basis);
    const schema = JSON.parse(JSON.stringify(this.#state.schema)) as StateSchema;
    const watermarkMs = this.#watermarkMs === -Infinity ? null : this.#watermarkMs;
    const reached = this.#runsOf((group) => Math.max(this.#watermarkMs, this.#ahead?.of(group) ?? -Infinity));
    const chunks: StateChunk[] = [];
    const next = (): boolean => this.#takeChunk(snapshot, chunks);
    const end = (): OperatorSnapshot => {
      snapshot.release();
      const inOrder = [...chunks.filter(({ isOlder }) => isOlder), ...chunks.filter(({ isOlder }) => !isOlder)];
      return { schema, chunks: inOrder, watermarkMs, reached };
    };
    return {
      next,
      take: () => {
        while (next());
        return end();
      },
      takeFromDisk: async () => {
        do await snapshot.ready?.();
        while (next());
        return end();
      },
      confirm: () => snapshot.confirm?.(),
    };
  }

  /** Whether a chunk is of this subtask's key groups. */
  owns({ keyGroup }: StateChunk): boolean {
    return this.#isMine(keyGroup);
  }

  get #state(): OperatorState {
    const { state } = this.#operator;
    if (state === undefined) throw new Error('the operator has no state');
    return state;
  }

  /** Of its own key groups. */
  #runsOf(watermarkOf: (keyGroup: number) => number): KeyGroupRuns {
    const { subtaskIndex = 0, parallelism = 1, maxParallelism = 128 } = this.#options;
    return keyGroupRuns(keyGroupsOf(subtaskIndex, maxParallelism, parallelism), watermarkOf);
  }

  #takeChunk(snapshot: StateSnapshot, chunks: StateChunk[]): boolean {
    const chunk = snapshot.next();
    if (chunk === null) return false;
    const { keyGroup, bytes } = chunk;
    if (!this.#isMine(keyGroup)) throw new Error(`a chunk of key group ${keyGroup}, which this subtask does not have`);
    chunks.push({ ...chunk, bytes: bytes.slice() });
    return true;
  }

  #isMine(keyGroup: number): boolean {
    const { subtaskIndex = 0, parallelism = 1, maxParallelism = 128 } = this.#options;
    return subtaskOfKeyGroup(keyGroup, maxParallelism, parallelism) === subtaskIndex;
  }

  async #open(): Promise<void> {
    await this.#operator.open(this.#context());
    const { restore = [] } = this.#options;
    for (const { schema, chunks } of restore) {
      // In no particular order, as of several files, unless later ones replace earlier ones.
      const inOrder = chunks.some(({ replaces }) => replaces) ? chunks : chunks.toReversed();
      for (const chunk of inOrder) {
        if (this.#isMine(chunk.keyGroup)) await this.#restore(chunk, schema);
      }
    }
  }

  async #restore(chunk: StateChunk, schema: StateSchema): Promise<void> {
    const { bytes } = chunk;
    // At an odd position, and overwritten afterwards: chunks are borrowed.
    const lent = new Uint8Array(bytes.length + 3).subarray(3);
    lent.set(bytes);
    this.#state.restore({ ...chunk, bytes: lent }, schema);
    await this.#state.settle?.();
    lent.fill(0x2a);
  }

  #context(): OperatorContext {
    const { ports = nodePorts, stepId = 'step', spill } = this.#options;
    const { subtaskIndex = 0, parallelism = 1, maxParallelism = 128 } = this.#options;
    return {
      jobName: 'harness',
      stepId,
      subtaskIndex,
      parallelism,
      maxParallelism,
      ports: { ...ports, clock: this.#clock },
      output: this.#output,
      sideOutputs: new Map([...this.#sideRows].map(([side, rows]) => [side, this.#output.side(rows)])),
      errors: this.#errors,
      restoredWatermarkMs: this.#watermarkMs,
      ...(this.#ahead === null ? {} : { restoredAhead: this.#ahead }),
      ...(spill === undefined ? {} : { spill }),
      setAlarm: (atMs) => {
        this.#alarmMs = atMs;
      },
      counter: (name) => {
        const counter = this.#counters.get(name) ?? { value: 0 };
        this.#counters.set(name, counter);
        return counter;
      },
    };
  }

  async #processBatch(rows: readonly InputRow[]): Promise<void> {
    const index = rows[0]?.input ?? 0;
    const input = this.#inputs[Math.min(index, this.#inputs.length - 1)] as HarnessInput;
    const batch = input.fill(rows, this.#rowCount);
    this.#rowCount += rows.length;
    await this.#operator.prepare?.(batch, index);
    let row = 0;
    while (row < batch.rowCount) {
      const next = this.#operator.process(batch, row, index);
      if (next < row || next > batch.rowCount) throw new Error(`process() returned row ${next} of ${batch.rowCount}`);
      if (next === row && this.#output.ready) {
        if (this.#operator.waiting === undefined) throw new Error(`process() stopped at row ${row}, its output ready`);
        await this.#operator.waiting();
      }
      row = next;
      this.#drain();
    }
    input.spoil();
  }

  #checkWatermark(timestampMs: number): void {
    if (timestampMs < this.#watermarkMs) throw new Error(`watermark ${timestampMs} after ${this.#watermarkMs}`);
  }

  /** Lets the clock go on to each time at which an alarm goes off, and then to the end. */
  *#alarms(nowMs: number): Generator<number> {
    for (let fired = 0; this.#alarmMs <= nowMs; fired++) {
      if (fired > MAX_IDLE_CALLS) throw new Error('the operator sets one alarm after the other without end');
      this.#clock.advanceTo(this.#alarmMs);
      this.#alarmMs = Infinity;
      yield this.#clock.nowMs();
    }
    this.#clock.advanceTo(nowMs);
  }

  #resume(name: string, call: () => boolean): void {
    for (let calls = 0; !call(); calls++) {
      if (this.#operator.reading?.() !== undefined) throw new Error(`${name} of the operator reads from a disk`);
      this.#checkCalls(name, calls);
      this.#drain();
    }
    this.#drain();
  }

  async #resumeFromDisk(name: string, call: () => boolean): Promise<void> {
    for (let calls = 0; !call(); calls++) {
      const reading = this.#operator.reading?.();
      if (reading === undefined) this.#checkCalls(name, calls);
      else await reading;
      this.#drain();
    }
    this.#drain();
  }

  #checkCalls(name: string, calls: number): void {
    if (!this.#output.ready || calls <= MAX_IDLE_CALLS) return;
    throw new Error(`${name} of the operator does not end though its output is ready`);
  }

  #drain(): void {
    while (!this.#output.advance());
  }
}

function watermarkOf({ watermarkMs }: OperatorSnapshot): number {
  return watermarkMs ?? -Infinity;
}

/** The rows from `first` on, as far as they come from one input and fit into a batch. */
function sameInput(rows: readonly InputRow[], first: number, batchSize: number): readonly InputRow[] {
  const input = rows[first]?.input ?? 0;
  let end = first + 1;
  while (end < rows.length && end - first < batchSize && (rows[end]?.input ?? 0) === input) end++;
  return rows.slice(first, end);
}
