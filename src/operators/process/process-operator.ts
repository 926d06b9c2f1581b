/**
 * Code of users, called for each row and for timers (Flink's KeyedProcessFunction). Everything that a call emits is
 * written to batches at once; nothing is called while a full one waits for the output.
 */
import { ColumnBatch, resetColumn } from '../../core/index.ts';
import type {
  CodeLoader,
  Column,
  FiredTimer,
  Operator,
  OperatorContext,
  OperatorState,
  RowSchema,
  UserRow,
} from '../../core/index.ts';
import { MAX_WATERMARK_MS } from '../../core/index.ts';
import { refuseUpdates } from '../refuse-updates.ts';
import { grown } from '../state/grown.ts';
import { ENTRIES_PER_CALL } from '../state/time-heap.ts';
import { EmittedRows } from './emitted-rows.ts';
import { StepContext } from './process-context.ts';
import type { ProcessSpec } from './process-spec.ts';
import { setUp } from './process-setup.ts';
import { compileRowReader } from './row-reader.ts';
import type { RowReader } from './row-reader.ts';
import { TimerUse } from './timer-use.ts';
import { thrownBy } from './thrown-by.ts';
import type { TimerSlots } from './timer-slots.ts';
import { refusePromise, userFunctionOf } from './user-function.ts';
import type { UserFunction } from './user-function.ts';
import { UserKeys } from './user-keys.ts';

const NO_KEY: UserRow = Object.freeze({});
/** How long calls go on before others get a turn. */
const SLICE_MS = 4;
/** Calls from one look at the clock to the next. */
const CALLS_PER_LOOK = 64;
/** At the end of the input a timer may set the next one, but not for ever. */
const MAX_LAST_CALLS = 1000;

interface Opened {
  readonly context: OperatorContext;
  readonly user: UserFunction;
  readonly call: StepContext;
  readonly outputs: readonly EmittedRows[];
  readonly read: RowReader;
}

export class ProcessOperator implements Operator {
  state: OperatorState | undefined;
  readonly #spec: ProcessSpec;
  readonly #loadCode: CodeLoader;
  /** Null where the code remembers nothing. */
  #keys: UserKeys | null = null;
  #opened: Opened | null = null;
  /** The next row of the batch that is under way; -1 where none is. */
  #row = -1;
  #watermarkMs = -Infinity;
  #alarmMs = Infinity;
  /** One row, for the key of a timer. */
  readonly #timerRow: ColumnBatch;
  readonly #keySchema: RowSchema;
  #readKeyOf: RowReader | null = null;
  /** Where the key of the present call stands. */
  #keyColumns: readonly Column[] = [];
  #keyRow = 0;
  /** Per slot, how many timers have fired since the end of the input. */
  #lastCalls = new Float64Array(0);

  constructor(spec: ProcessSpec, loadCode: CodeLoader) {
    this.#spec = spec;
    this.#loadCode = loadCode;
    this.#timerRow = new ColumnBatch(spec.input, 1);
    this.#keySchema = { fields: spec.keys.flatMap((key) => spec.input.fields[key] ?? []) };
  }

  async open(context: OperatorContext): Promise<void> {
    const spec = this.#spec;
    this.#watermarkMs = context.restoredWatermarkMs;
    const user = userFunctionOf(await this.#loadCode(spec.code), spec);
    const keys = spec.keys.length === 0 || !user.isObject ? null : new UserKeys(spec, this.#times(context));
    this.#keys = keys;
    const output = this.#rowsFor(context.output, spec.output, null);
    const sides = new Map(
      spec.sides.map(({ name, schema }) => {
        const side = context.sideOutputs?.get(name);
        return [name, side === undefined ? null : this.#rowsFor(side, schema, name)] as const;
      }),
    );
    const timers = new TimerUse(spec, keys, user.code.onTimer !== undefined);
    const call = new StepContext({
      stepId: spec.stepId,
      output,
      sides,
      readKey: () => this.#readKey(),
      nowMs: () => context.ports.clock.nowMs(),
      timers: (isEventTime, isSetting, timeMs) => {
        timers.use(isEventTime, isSetting, timeMs);
      },
    });
    call.watermark = this.#watermarkMs;
    const outputs = [output, ...[...sides.values()].filter((side) => side !== null)];
    const read = compileRowReader(spec.input, spec.longs, spec.stepId);
    this.#opened = { context, user, call, outputs, read };
    await setUp(user.code, { spec, context, keys });
    await keys?.open(context);
    this.state = keys?.describe(context.maxParallelism, () => {
      // A restore that is cancelled may end after close().
      if (this.#opened !== null) this.#setAlarm();
    });
  }

  prepare(batch: ColumnBatch): Promise<void> | undefined {
    return this.#keys?.prepare(batch);
  }

  process(batch: ColumnBatch): number {
    const { rowCount } = batch;
    const { clock } = (this.#opened as Opened).context.ports;
    const endMs = clock.monotonicMs() + SLICE_MS;
    if (this.#row < 0) this.#begin(batch);
    for (let done = 1; this.#row < rowCount; this.#row++, done++) {
      if (done % CALLS_PER_LOOK === 0 && clock.monotonicMs() >= endMs) return this.#row;
      // Rows that are done count as one less, so that this is called again for what waits.
      if (!this.#emit(batch, false)) return Math.min(this.#row, rowCount - 1);
      this.#callFor(batch, this.#row);
    }
    if (!this.#emit(batch, true)) return rowCount - 1;
    this.#row = -1;
    this.#setAlarm();
    return rowCount;
  }

  onWatermark(timestampMs: number): boolean {
    const keys = this.#keys;
    this.#watermarkMs = Math.max(this.#watermarkMs, timestampMs);
    if (this.#opened !== null) this.#opened.call.watermark = this.#watermarkMs;
    if (keys === null) return true;
    if (!this.#fire(keys, keys.events, timestampMs)) return false;
    if (this.#spec.hasEventTime && !this.#expire(keys, timestampMs)) return false;
    return this.#emit(null, true);
  }

  onTimer(nowMs: number): boolean {
    const keys = this.#keys;
    this.#alarmMs = Infinity;
    if (keys === null) return true;
    if (!this.#fire(keys, keys.clock, nowMs)) return false;
    if (!this.#spec.hasEventTime && !this.#expire(keys, nowMs)) return false;
    if (!this.#emit(null, true)) return false;
    this.#setAlarm();
    return true;
  }

  /** Event time has come to its end; the clock goes on, and its timers have no time to come. */
  finish(): boolean {
    return this.onWatermark(MAX_WATERMARK_MS);
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    try {
      await opened?.user.code.close?.();
    } catch (error) {
      throw thrownBy(error, 'close()', this.#spec);
    } finally {
      await this.#keys?.close();
    }
  }

  #times({ ports }: OperatorContext): ConstructorParameters<typeof UserKeys>[1] {
    const { clock } = ports;
    if (!this.#spec.hasEventTime) return { reachedMs: () => clock.nowMs(), writeTimeMs: () => clock.nowMs() };
    return {
      reachedMs: () => this.#watermarkMs,
      writeTimeMs: () => {
        const time = (this.#opened as Opened).call.timestampMs;
        return time > this.#watermarkMs ? time : this.#watermarkMs;
      },
    };
  }

  #rowsFor(output: OperatorContext['output'], schema: RowSchema, side: string | null): EmittedRows {
    return new EmittedRows(output, schema, this.#spec.hasEventTime, { stepId: this.#spec.stepId, side });
  }

  #begin(batch: ColumnBatch): void {
    refuseUpdates(batch, this.#spec.stepId);
    this.#row = 0;
    this.#keys?.read(batch);
    this.#keyColumns = this.#spec.keys.map((key) => batch.columns[key] as Column);
  }

  #callFor(batch: ColumnBatch, row: number): void {
    const { context, user, call, outputs, read } = this.#opened as Opened;
    const keys = this.#keys;
    const { timestamps, originRows } = batch;
    this.#keyRow = row;
    call.begin(
      timestamps === null ? NaN : (timestamps[row] as number),
      originRows === null ? row : (originRows[row] as number),
    );
    for (const output of outputs) output.mark();
    keys?.beginRow(row);
    try {
      const given: unknown = user.code.process(read(batch.columns, row) as UserRow, call);
      if (given !== undefined) refusePromise(given, 'process()', this.#spec);
    } catch (error) {
      for (const output of outputs) output.takeBack();
      const { stepId } = this.#spec;
      context.errors.handle(batch, row, stepId, thrownBy(error, 'process()', this.#spec));
    }
    keys?.end();
  }

  /** Calls onTimer() for the timers that are due; false where there is more to do. */
  #fire(keys: UserKeys, timers: TimerSlots, untilMs: number): boolean {
    const { clock } = (this.#opened as Opened).context.ports;
    const endMs = clock.monotonicMs() + SLICE_MS;
    for (let done = 1; timers.time <= untilMs && timers.time < Infinity; done++) {
      if (done > ENTRIES_PER_CALL || (done % CALLS_PER_LOOK === 0 && clock.monotonicMs() >= endMs)) return false;
      if (!this.#emit(null, false)) return false;
      const slot = keys.takeTimer(timers, untilMs);
      if (slot >= 0 && this.#isCalled(slot, untilMs)) this.#callForTimer(keys, timers, slot);
      else if (slot >= 0) keys.forgetIfEmpty(slot);
    }
    return true;
  }

  /** Whether a timer of the slot is to be called: at the end of the input, no more than so often. */
  #isCalled(slot: number, untilMs: number): boolean {
    if (untilMs < MAX_WATERMARK_MS) return true;
    this.#lastCalls = grown(this.#lastCalls, slot + 1);
    const calls = (this.#lastCalls[slot] as number) + 1;
    this.#lastCalls[slot] = calls;
    return calls <= MAX_LAST_CALLS;
  }

  #callForTimer(keys: UserKeys, timers: TimerSlots, slot: number): void {
    const { context, user, call, outputs } = this.#opened as Opened;
    const isEventTime = timers === keys.events;
    const timer: FiredTimer = { timestamp: timers.taken, isEventTime };
    const row = this.#timerRow;
    for (const column of row.columns) resetColumn(column);
    this.#keyColumns = this.#spec.keys.map((key) => row.columns[key] as Column);
    this.#keyRow = 0;
    keys.writeKey(slot, this.#keyColumns);
    call.begin(isEventTime ? timer.timestamp : NaN, 0);
    for (const output of outputs) output.mark();
    keys.beginSlot(slot);
    try {
      const given: unknown = user.code.onTimer?.(timer, call);
      if (given !== undefined) refusePromise(given, 'onTimer()', this.#spec);
    } catch (error) {
      for (const output of outputs) output.takeBack();
      row.rowCount = 1;
      context.errors.handle(row, 0, this.#spec.stepId, thrownBy(error, 'onTimer()', this.#spec));
    }
    keys.end();
  }

  /** Forgets what is to be forgotten; false where there is more to do. */
  #expire(keys: UserKeys, reachedMs: number): boolean {
    for (let done = 0; keys.expiryMs <= reachedMs; done++) {
      if (done === ENTRIES_PER_CALL) return false;
      keys.expireNext(reachedMs);
    }
    return true;
  }

  /** Emits what is full, or all that there is; false where something waits for the output. */
  #emit(batch: ColumnBatch | null, isAll: boolean): boolean {
    const { context, outputs } = this.#opened as Opened;
    for (const rows of outputs) {
      while (rows.hasFull || (isAll && rows.hasRows)) {
        if (!context.output.ready) return false;
        rows.emit(batch?.origin ?? null);
      }
    }
    return true;
  }

  #readKey(): UserRow {
    if (this.#spec.keys.length === 0) return NO_KEY;
    this.#readKeyOf ??= compileRowReader(this.#keySchema, this.#spec.longs, this.#spec.stepId);
    return this.#readKeyOf(this.#keyColumns, this.#keyRow) as UserRow;
  }

  #setAlarm(): void {
    if (this.#keys === null) return;
    const expiryMs = this.#spec.hasEventTime ? Infinity : this.#keys.expiryMs;
    const nextMs = Math.min(this.#keys.clock.time, expiryMs);
    if (nextMs >= this.#alarmMs) return;
    this.#alarmMs = nextMs;
    (this.#opened as Opened).context.setAlarm(nextMs);
  }
}
