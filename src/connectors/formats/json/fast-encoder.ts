/** Copies chunks of rows into the memory of fast-encoder-source.ts, runs it, and takes its records over. */
import { columnKind } from '../../../core/index.ts';
import type { BytesColumn, Column, EncodedBlock, Field } from '../../../core/index.ts';
import type { EncodeState } from './encode-state.ts';
import type { EncoderShape } from './encoder-source.ts';
import {
  CHUNK_ROWS, CHUNK_TEXT_BYTES, EncoderPlace, planEncoderMemory,
  type EncoderMemory, type FieldPlace,
} from './fast-encoder-memory.ts';
import { fastEncoderModule, isFastEncodable } from './fast-encoder-source.ts';
import { wasmFunction, wasmMemory } from './wasm-instance.ts';

/** Text is copied in one piece from the first row's to the last's; where more than so much per row, not at all. */
const MAX_TEXT_PER_ROW = 1024;
const SPARSE_TEXT_BYTES = 4096;
const MAX_POSITION = 0x7fffffff;

interface FastField {
  readonly values: Float64Array | Int32Array | Uint8Array;
  readonly ends: Int32Array;
  readonly nulls: Uint8Array;
  mayHaveNulls: boolean;
}

/** A part of some column's data that rows of the chunk show. */
interface TextRange {
  data: Uint8Array;
  start: number;
  end: number;
}

export class FastEncoder {
  readonly #plan: EncoderMemory;
  readonly #bytes: Uint8Array;
  readonly #used: Int32Array;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #deltas: Int32Array;
  readonly #fields: readonly FastField[];
  readonly #run: (from: number, to: number, headroom: number, limit: number) => number;
  /** The rows of the batch that the memory holds. */
  #from = 0;
  #to = 0;
  /** The ranges of the chunk, and for each field which one is its. */
  readonly #ranges: TextRange[] = [];
  #rangeCount = 0;
  readonly #rangeOf: Int32Array;

  /** Null where the fields are nothing for it, or WebAssembly with 128-bit vectors is not at hand. */
  static create(fields: readonly Field[], shape: EncoderShape, state: EncodeState): FastEncoder | null {
    if (!isFastEncodable(fields)) return null;
    try {
      return new FastEncoder(fields, shape, state);
    } catch {
      return null;
    }
  }

  private constructor(fields: readonly Field[], shape: EncoderShape, state: EncodeState) {
    const plan = planEncoderMemory(fields);
    const memory = wasmMemory(plan.sizeBytes);
    const { buffer } = memory;
    this.#plan = plan;
    this.#bytes = new Uint8Array(buffer);
    this.#used = new Int32Array(buffer, EncoderPlace.used, 1);
    this.#starts = new Int32Array(buffer, plan.starts, CHUNK_ROWS);
    this.#ends = new Int32Array(buffer, plan.ends, CHUNK_ROWS);
    this.#deltas = new Int32Array(buffer, EncoderPlace.deltas, fields.length);
    this.#fields = fields.map((field, index) => fastField(field, plan.fields[index] as FieldPlace, buffer));
    this.#rangeOf = new Int32Array(fields.length);
    const secondMs = new Float64Array(buffer, EncoderPlace.secondMs, 1);
    secondMs[0] = NaN;
    const text = new Uint8Array(buffer, EncoderPlace.second, 20);
    const second = (ms: number): number => {
      const begin = state.times.second(text, ms);
      secondMs[0] = begin;
      return Number.isNaN(begin) ? 0 : 1;
    };
    this.#run = wasmFunction(fastEncoderModule(fields, shape, plan), memory, { second });
  }

  /** Forgets the rows of the last batch. */
  reset(): void {
    this.#from = 0;
    this.#to = 0;
  }

  /**
   * Encodes rows from `from` on, as far as they fit its memory and are of the usual shape; returns the next, or -1
   * where the columns are nothing for it. Stops as a generated encoder does, or before a row that is for one.
   */
  encode(columns: readonly Column[], from: number, to: number, block: EncodedBlock, maxBytes: number): number {
    if ((from < this.#from || from >= this.#to) && !this.#load(columns, from, Math.min(to, from + CHUNK_ROWS))) {
      this.reset();
      return -1;
    }
    const slot = from - this.#from;
    const end = Math.min(this.#to - this.#from, slot + block.capacity - block.count);
    const limit = Math.min(maxBytes - block.used, this.#plan.outBytes);
    const next = this.#run(slot, end, block.headroom, limit);
    this.#takeOver(block, slot, next);
    return next + this.#from;
  }

  #takeOver(block: EncodedBlock, slot: number, next: number): void {
    if (next === slot) return;
    const written = this.#used[0] as number;
    const { used: base, headroom } = block;
    const { out } = this.#plan;
    // What the first headroom covers may hold something of the block's owner already.
    block.reserve(written).set(this.#bytes.subarray(out + headroom, out + written), base + headroom);
    const shift = block.count - slot;
    for (let row = slot; row < next; row++) {
      block.starts[row + shift] = base + (this.#starts[row] as number);
      block.ends[row + shift] = base + (this.#ends[row] as number);
    }
    block.count = next + shift;
    block.used = base + written;
  }

  #load(columns: readonly Column[], from: number, to: number): boolean {
    this.#rangeCount = 0;
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index] as Column;
      const field = this.#fields[index] as FastField;
      if (column.hasNulls) field.nulls.set(column.nulls.subarray(from, to));
      else if (field.mayHaveNulls) field.nulls.fill(0);
      field.mayHaveNulls = column.hasNulls;
      if (column.kind === 'bytes') this.#loadText(column, field, index, from, to);
      else if (column.kind === 'object' || ('wide' in column && column.wide !== null)) return false;
      else field.values.set(column.values.subarray(from, to));
    }
    if (!this.#copyText(to - from)) return false;
    this.#from = from;
    this.#to = to;
    return true;
  }

  #loadText(column: BytesColumn, field: FastField, index: number, from: number, to: number): void {
    const starts = field.values as Int32Array;
    const { ends, nulls } = field;
    const count = to - from;
    starts.set(column.starts.subarray(from, to));
    ends.set(column.ends.subarray(from, to));
    if (column.hasNulls) {
      // Where a row is NULL stands an empty text of one that is not.
      const shown = nulls.subarray(0, count).indexOf(0);
      const start = shown < 0 ? 0 : (starts[shown] as number);
      for (let row = 0; row < count; row++) if (nulls[row] !== 0) starts[row] = ends[row] = start;
      this.#rangeOf[index] = -1;
      if (shown < 0) return;
    }
    let first = MAX_POSITION;
    let last = 0;
    for (let row = 0; row < count; row++) {
      const start = starts[row] as number;
      const end = ends[row] as number;
      if (start < first) first = start;
      if (end > last) last = end;
    }
    this.#rangeOf[index] = this.#rangeAround(column.data, first, last);
  }

  /** Columns mostly show the same data, that of the records that were read: it is copied once. */
  #rangeAround(data: Uint8Array, start: number, end: number): number {
    for (let index = 0; index < this.#rangeCount; index++) {
      const range = this.#ranges[index] as TextRange;
      if (range.data !== data) continue;
      range.start = Math.min(range.start, start);
      range.end = Math.max(range.end, end);
      return index;
    }
    const index = this.#rangeCount++;
    const range = this.#ranges[index];
    if (range === undefined) this.#ranges.push({ data, start, end });
    else Object.assign(range, { data, start, end });
    return index;
  }

  #copyText(rowCount: number): boolean {
    let total = 0;
    for (let index = 0; index < this.#rangeCount; index++) {
      const { start, end } = this.#ranges[index] as TextRange;
      total += end - start;
    }
    if (total > Math.min(CHUNK_TEXT_BYTES, SPARSE_TEXT_BYTES + rowCount * MAX_TEXT_PER_ROW)) return false;
    let at = this.#plan.text;
    for (let index = 0; index < this.#rangeCount; index++) {
      const range = this.#ranges[index] as TextRange;
      this.#bytes.set(range.data.subarray(range.start, range.end), at);
      for (let field = 0; field < this.#rangeOf.length; field++) {
        if (this.#rangeOf[field] === index) this.#deltas[field] = at - range.start;
      }
      at += range.end - range.start;
    }
    return true;
  }
}

function fastField({ type }: Field, place: FieldPlace, buffer: ArrayBuffer): FastField {
  const kind = columnKind(type);
  const values =
    kind === 'boolean'
      ? new Uint8Array(buffer, place.values, CHUNK_ROWS)
      : kind === 'bytes' || kind === 'int'
        ? new Int32Array(buffer, place.values, CHUNK_ROWS)
        : new Float64Array(buffer, place.values, CHUNK_ROWS);
  return {
    values,
    ends: new Int32Array(buffer, place.ends, CHUNK_ROWS),
    nulls: new Uint8Array(buffer, place.nulls, CHUNK_ROWS),
    mayHaveNulls: false,
  };
}
