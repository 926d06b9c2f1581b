/** Runs the WebAssembly of fast-decoder-source.ts over chunks of a block, and takes its rows over into columns. */
import { columnKind } from '../../../core/index.ts';
import type { Column, Field, RecordBlock } from '../../../core/index.ts';
import { cacheMinute, IsoTimeParser } from '../iso-time.ts';
import type { DecodeState } from './decode-state.ts';
import { fastDecoderModule, isFastShape } from './fast-decoder-source.ts';
import {
  CHUNK_BYTES, CHUNK_RECORDS, PADDING_BYTES, Place, planMemory, POWER_COUNT,
  type FastMemory, type TargetPlace,
} from './fast-memory.ts';
import { generateKeeper, type FastColumn, type GeneratedKeeper } from './fast-keeper-source.ts';
import type { FilterSource } from './filter-source.ts';
import { POWERS_OF_TEN } from './exact-double.ts';
import type { RecordLayout } from './record-layout.ts';
import { wasmFunction, wasmMemory } from './wasm-instance.ts';

export class FastDecoder {
  readonly #plan: FastMemory;
  readonly #bytes: Uint8Array;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #anyNull: Int32Array;
  readonly #columns: readonly FastColumn[];
  readonly #run: (from: number, to: number, delta: number) => number;
  /** Null where there are no filters: then rows are taken over array by array. */
  readonly #keep: GeneratedKeeper | null;
  /** The records of the block that the memory holds, and what their positions differ from those in the memory. */
  #from = 0;
  #to = 0;
  #delta = 0;

  /** Null where the targets or the layout are nothing for it, or WebAssembly with 128-bit vectors is not at hand. */
  static create(
    targets: readonly Field[],
    layout: RecordLayout,
    filters: readonly FilterSource[],
  ): FastDecoder | null {
    if (!isFastShape(targets, layout)) return null;
    try {
      return new FastDecoder(targets, layout, filters);
    } catch {
      return null;
    }
  }

  private constructor(targets: readonly Field[], layout: RecordLayout, filters: readonly FilterSource[]) {
    const plan = planMemory(targets);
    const memory = wasmMemory(plan.sizeBytes);
    const { buffer } = memory;
    this.#plan = plan;
    this.#bytes = new Uint8Array(buffer);
    this.#starts = new Int32Array(buffer, plan.starts, CHUNK_RECORDS);
    this.#ends = new Int32Array(buffer, plan.ends, CHUNK_RECORDS);
    this.#anyNull = new Int32Array(buffer, Place.anyNull, targets.length);
    this.#columns = targets.map((field, index) => fastColumn(field, plan.targets[index] as TargetPlace, buffer));
    new Float64Array(buffer, Place.powers, POWER_COUNT).set(POWERS_OF_TEN.slice(0, POWER_COUNT));
    const cache = new Float64Array(buffer, Place.minute, 3);
    const parser = new IsoTimeParser();
    const view = new DataView(buffer);
    const minute = (start: number): number => (cacheMinute(cache, parser, this.#bytes, view, start) ? 1 : 0);
    this.#run = wasmFunction(fastDecoderModule(targets, layout, plan), memory, { minute });
    this.#keep = filters.length === 0 ? null : generateKeeper(targets, filters);
  }

  /** Forgets the records of the last block. */
  reset(): void {
    this.#from = 0;
    this.#to = 0;
  }

  /** Whether rows can be added to these columns: not where one is wide, or has taken its text elsewhere. */
  accepts(columns: readonly Column[], blockData: Uint8Array): boolean {
    for (const column of columns) {
      if (column.kind === 'bytes' ? column.data !== blockData : 'wide' in column && column.wide !== null) return false;
    }
    return true;
  }

  /**
   * Decodes records from `from` on, as far as the memory holds them and they are of the usual shape; returns the next.
   * Rows begin at `state.row`, which is moved on. A filter that throws is told to the state, as generated decoders do.
   */
  decode(
    state: DecodeState,
    block: RecordBlock,
    from: number,
    columns: readonly Column[],
    records: Int32Array,
    capacity: number,
  ): number {
    if (from < this.#from || from >= this.#to) this.#load(block, from);
    const slot = from - this.#from;
    const room = capacity - state.row;
    const held = this.#to - this.#from;
    const end = this.#run(slot, this.#keep === null ? Math.min(held, slot + room) : held, this.#delta);
    if (this.#keep !== null) {
      return this.#keep(state, this.#columns, slot, end, this.#from, columns, records, capacity) + this.#from;
    }
    this.#takeOver(state, slot, end, columns, records);
    return end + this.#from;
  }

  /** Copies the next records into the memory: none where the first is too long for it. */
  #load(block: RecordBlock, from: number): void {
    const { valueStarts, valueEnds } = block;
    const limit = Math.min(block.count, from + CHUNK_RECORDS);
    const base = Math.max(0, valueStarts[from] as number);
    let last = base;
    let to = from;
    for (; to < limit; to++) {
      const start = valueStarts[to] as number;
      if (start < 0) continue;
      const end = valueEnds[to] as number;
      if (start < base || end - base > CHUNK_BYTES) break;
      if (end > last) last = end;
    }
    const { data } = this.#plan;
    this.#bytes.set(block.data.subarray(base, last), data);
    this.#bytes.fill(0, data + last - base, data + last - base + PADDING_BYTES);
    this.#starts.set(valueStarts.subarray(from, to));
    this.#ends.set(valueEnds.subarray(from, to));
    this.#from = from;
    this.#to = to;
    this.#delta = data - base;
    this.#columns.forEach(({ nulls }, index) => {
      if (this.#anyNull[index] === 0) return;
      nulls.fill(0);
      this.#anyNull[index] = 0;
    });
  }

  #takeOver(
    state: DecodeState,
    slot: number,
    end: number,
    columns: readonly Column[],
    records: Int32Array,
  ): void {
    const { row } = state;
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index] as Column;
      const { values, ends, nulls } = this.#columns[index] as FastColumn;
      if (column.kind === 'bytes') {
        column.starts.set(values.subarray(slot, end), row);
        column.ends.set(ends.subarray(slot, end), row);
      } else if (column.kind !== 'object') column.values.set(values.subarray(slot, end), row);
      if (this.#anyNull[index] === 0) continue;
      column.nulls.set(nulls.subarray(slot, end), row);
      column.hasNulls = true;
    }
    const shift = this.#from - row;
    const behind = row + end - slot;
    for (let i = row, record = slot + shift + row; i < behind; i++, record++) records[i] = record;
    state.row = behind;
  }
}

function fastColumn({ type }: Field, place: TargetPlace, buffer: ArrayBuffer): FastColumn {
  const kind = columnKind(type);
  const values =
    kind === 'boolean'
      ? new Uint8Array(buffer, place.values, CHUNK_RECORDS)
      : kind === 'bytes' || kind === 'int'
        ? new Int32Array(buffer, place.values, CHUNK_RECORDS)
        : new Float64Array(buffer, place.values, CHUNK_RECORDS);
  return {
    values,
    ends: new Int32Array(buffer, place.ends, CHUNK_RECORDS),
    nulls: new Uint8Array(buffer, place.nulls, CHUNK_RECORDS),
  };
}
