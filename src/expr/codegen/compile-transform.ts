/**
 * Runs of stateless steps as one generated function over batches.
 *
 * Versions of the function are compiled when first needed: without checks for NULLs while no column that is read has
 * any in the batch, and wide (bigints) for batches whose longs or decimals need it. A narrow run that meets a result
 * beyond the safe integers goes on wide from that row on, for the rest of the batch.
 */
import type { Column, ColumnBatch, RowSchema, TransformStep } from '../../core/index.ts';
import { gatherColumn, gatherFloat64, gatherUint8 } from './runtime/gather.ts';
import { inputUse, transformOutput } from './transform-plan.ts';
import type { InputUse } from './transform-plan.ts';
import { RunStatus, TransformGenerator } from './transform-source.ts';
import type { GeneratedRun, RunState, TransformVersion } from './transform-source.ts';

/** Arrays that belong to an output batch beside its columns, kept between batches. */
interface BatchArrays {
  readonly timestamps: Float64Array;
  readonly rowKinds: Uint8Array;
  readonly originRows: Int32Array;
}

/** Compiles the steps; no code is generated before the first batch. Throws for malformed expressions at first use. */
export function compileTransform(steps: readonly TransformStep[], input: RowSchema): CompiledTransform {
  return new CompiledTransform(steps, input);
}

export class CompiledTransform {
  readonly steps: readonly TransformStep[];
  readonly input: RowSchema;
  readonly output: RowSchema;
  /** Whether a row may become several: only then can an output as large as the input be too small. */
  readonly expands: boolean;
  /** Why the row `failedRow` failed, in which step; undefined where the last run met no failure. */
  failure: unknown = undefined;
  failedRow = -1;
  failedStepId = '';
  readonly #use: InputUse;
  readonly #versions = new Map<string, GeneratedRun>();
  readonly #state: RunState;
  readonly #arrays = new WeakMap<ColumnBatch, BatchArrays>();
  #wideBatch: ColumnBatch | null = null;

  constructor(steps: readonly TransformStep[], input: RowSchema) {
    this.steps = steps;
    this.input = input;
    this.output = transformOutput(steps, input);
    this.expands = steps.some((step) => step.kind === 'flat-map');
    this.#use = inputUse(steps, input, this.output);
    this.#state = {
      row: 0,
      end: 0,
      outRow: 0,
      capacity: 0,
      sourceRows: new Int32Array(0),
      positions: new Int32Array(steps.length),
      status: RunStatus.done,
      step: 0,
      failure: undefined,
    };
  }

  /**
   * Does rows from `fromRow` on and appends what becomes of them to `out`, until the batch ends, `out` is full, or a
   * row fails. Returns the next row to do: call again with it, and with room in `out`; the transform remembers where it
   * was inside the row.
   *
   * Where `failure` is not undefined then, the row `failedRow` failed in step `failedStepId`, and `fromRow` of the next
   * call is the row behind it (which is what this call returned). Rows that it made before it failed stay.
   *
   * `out` has the schema `output`. It is empty (after reset()) or holds rows of this same batch, because it borrows
   * from it: columns that pass unchanged are the batch's own where no row is missing, and strings keep pointing into
   * the batch's bytes. So it may be used only as long as `batch` is.
   */
  run(batch: ColumnBatch, fromRow: number, out: ColumnBatch): number {
    const state = this.#state;
    const outStart = out.rowCount;
    this.failure = undefined;
    if (fromRow !== state.row) state.positions.fill(0);
    state.row = fromRow;
    state.outRow = outStart;
    state.capacity = out.capacity;
    if (state.sourceRows.length < out.capacity) state.sourceRows = new Int32Array(out.capacity);
    this.#runVersions(batch, out);
    this.#passOn(batch, fromRow, out, outStart);
    out.rowCount = state.outRow;
    if (state.status === RunStatus.failed) this.#recordFailure();
    return state.row;
  }

  /** Per row of `out`, since it was empty, the row of the batch that it was made of. */
  get sourceRows(): Int32Array {
    return this.#state.sourceRows;
  }

  /** The source of the version for batches without NULLs and wide values, for `explain` and tests. */
  describe(version: TransformVersion = { mode: 'narrow', nulls: false }): string {
    return this.#generator(version).source();
  }

  #recordFailure(): void {
    const state = this.#state;
    this.failure = state.failure;
    this.failedRow = state.row;
    this.failedStepId = this.steps[state.step]?.stepId ?? '';
    state.failure = undefined;
    state.positions.fill(0);
    state.row++;
  }

  #runVersions(batch: ColumnBatch, out: ColumnBatch): void {
    const state = this.#state;
    if (this.#wideBatch !== null && (this.#wideBatch !== batch || state.row === 0)) this.#wideBatch = null;
    const nulls = this.#readsNulls(batch);
    let mode: TransformVersion['mode'] = this.#wideBatch === batch || this.#isWide(batch, out) ? 'wide' : 'narrow';
    state.status = RunStatus.done;
    while (state.row < batch.rowCount && state.outRow < state.capacity && state.status !== RunStatus.failed) {
      // Without a flat-map a row makes at most one row, so that this end needs no check of the output in the loop.
      const room = this.expands ? batch.rowCount : state.row + state.capacity - state.outRow;
      state.end = Math.min(batch.rowCount, room);
      this.#version({ mode, nulls })(batch, out, state);
      if (state.status === RunStatus.needWide) {
        if (mode === 'wide') throw new Error('wide code asked for wide code');
        mode = 'wide';
        this.#wideBatch = batch;
      }
    }
  }

  #readsNulls(batch: ColumnBatch): boolean {
    for (const index of this.#use.read) if ((batch.columns[index] as Column).hasNulls) return true;
    return false;
  }

  #isWide(batch: ColumnBatch, out: ColumnBatch): boolean {
    for (const index of this.#use.read) if (isWide(batch.columns[index] as Column)) return true;
    for (let index = 0; index < this.#use.passed.length; index++) {
      if (this.#use.passed[index] === null && isWide(out.columns[index] as Column)) return true;
    }
    return false;
  }

  #version(version: TransformVersion): GeneratedRun {
    const key = `${version.mode} ${version.nulls}`;
    let run = this.#versions.get(key);
    if (run === undefined) {
      run = this.#generator(version).compile();
      this.#versions.set(key, run);
    }
    return run;
  }

  #generator(version: TransformVersion): TransformGenerator {
    const { steps, input, output } = this;
    return new TransformGenerator({ steps, input, output, use: this.#use, version });
  }

  /** Unchanged columns and what belongs to rows, not fields, for output rows from `outStart` on. */
  #passOn(batch: ColumnBatch, fromRow: number, out: ColumnBatch, outStart: number): void {
    const { outRow, status } = this.#state;
    const complete = fromRow === 0 && outStart === 0 && outRow === batch.rowCount && status === RunStatus.done;
    if (complete && !this.expands) this.#passByReference(batch, out);
    else if (outRow > outStart) this.#passByCopy(batch, out, outStart);
  }

  #passByReference(batch: ColumnBatch, out: ColumnBatch): void {
    const { passed } = this.#use;
    for (let index = 0; index < passed.length; index++) {
      const input = passed[index] as number | null;
      if (input !== null) out.columns[index] = batch.columns[input] as Column;
    }
    out.timestamps = batch.timestamps;
    out.rowKinds = batch.rowKinds;
    out.origin = batch.origin;
    out.originRows = batch.originRows;
  }

  #passByCopy(batch: ColumnBatch, out: ColumnBatch, from: number): void {
    const { passed } = this.#use;
    const { sourceRows, outRow: to } = this.#state;
    for (let index = 0; index < passed.length; index++) {
      const input = passed[index] as number | null;
      if (input !== null)
        gatherColumn(batch.columns[input] as Column, out.columns[index] as Column, sourceRows, from, to);
    }
    if (batch.timestamps === null && batch.rowKinds === null && batch.origin === null) return;
    const arrays = this.#arraysOf(out);
    if (batch.timestamps !== null) {
      gatherFloat64(batch.timestamps, arrays.timestamps, sourceRows, from, to);
      out.timestamps = arrays.timestamps;
    }
    if (batch.rowKinds !== null) {
      gatherUint8(batch.rowKinds, arrays.rowKinds, sourceRows, from, to);
      out.rowKinds = arrays.rowKinds;
    }
    if (batch.origin === null) return;
    out.origin = batch.origin;
    out.originRows = arrays.originRows;
    for (let row = from; row < to; row++) {
      const source = sourceRows[row] as number;
      arrays.originRows[row] = batch.originRows === null ? source : (batch.originRows[source] as number);
    }
  }

  #arraysOf(out: ColumnBatch): BatchArrays {
    let arrays = this.#arrays.get(out);
    if (arrays === undefined) {
      const { capacity } = out;
      arrays = {
        timestamps: new Float64Array(capacity),
        rowKinds: new Uint8Array(capacity),
        originRows: new Int32Array(capacity),
      };
      this.#arrays.set(out, arrays);
    }
    return arrays;
  }
}

function isWide(column: Column): boolean {
  return (column.kind === 'long' || column.kind === 'decimal') && column.wide !== null;
}
