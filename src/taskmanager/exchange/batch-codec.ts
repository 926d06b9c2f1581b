/**
 * A batch as one ArrayBuffer and back: what exchanges between threads transfer and those between processes send.
 * docs/design/007-task-runtime.md draws the layout. Both sides know the schema. The decoded columns are views of the
 * frame.
 */
import { ColumnBatch, columnKind } from '../../core/index.ts';
import type { BytesColumn, Column, ColumnKind, RowSchema, Value } from '../../core/index.ts';
import { taskErrors } from '../errors.ts';
import { appendOrigins, CarriedOrigin } from './carried-origin.ts';
import { ValueReader, ValueWriter } from './value-codec.ts';

/** `MRBF` in the order of the bytes. */
const MAGIC = 0x4642524d;
const FRAME_VERSION = 1;
const HEADER_WORDS = 8;
/** A frame without columns and rows. */
export const MIN_FRAME_BYTES = HEADER_WORDS * 4;
/** The largest frame that travels: one row may be as large. */
export const MAX_FRAME_BYTES = 256 * 1024 * 1024;
const COLUMN_WORDS = 2;

const HAS_TIMESTAMPS = 1;
const HAS_ROW_KINDS = 2;
const HAS_ORIGIN = 4;
const HAS_NULLS = 0x100;
const IS_WIDE = 0x200;

/** The numbers of the kinds on the wire. */
const KINDS: readonly ColumnKind[] = ['boolean', 'int', 'double', 'long', 'decimal', 'bytes', 'object'];

const aligned = (size: number): number => (size + 7) & ~7;

export class BatchEncoder {
  readonly #kinds: readonly number[];
  /** Of the measured batch: the bytes of each column's values, for bytes and object columns. */
  readonly #valueBytes: Int32Array;
  readonly #objects: readonly ValueWriter[];
  readonly #runs = new ValueWriter();
  readonly #origin = new CarriedOrigin(new Float64Array(0));

  constructor(schema: RowSchema) {
    this.#kinds = schema.fields.map((field) => KINDS.indexOf(columnKind(field.type)));
    this.#valueBytes = new Int32Array(schema.fields.length);
    this.#objects = schema.fields.map(() => new ValueWriter());
  }

  /** The size of the batch's frame. encode() of the same batch must follow before the next measure(). */
  measure(batch: ColumnBatch): number {
    const { rowCount } = batch;
    let size = headerBytes(batch.columns.length);
    if (batch.timestamps !== null) size += 8 * rowCount;
    if (batch.rowKinds !== null) size += aligned(rowCount);
    if (batch.origin?.parts !== undefined) size += 8 * rowCount + aligned(this.#measureOrigin(batch));
    for (let index = 0; index < batch.columns.length; index++) {
      const column = batch.columns[index] as Column;
      const valueBytes = this.#measureValues(column, rowCount, index);
      this.#valueBytes[index] = valueBytes;
      if (column.hasNulls) size += aligned(rowCount);
      size += fixedBytes(column.kind, isWide(column), rowCount) + aligned(valueBytes);
    }
    return size;
  }

  /** Writes the batch that was measured last to the start of `frame`. */
  encode(batch: ColumnBatch, frame: ArrayBuffer, size: number): void {
    const { rowCount, columns } = batch;
    const hasOrigin = batch.origin?.parts !== undefined;
    const header = new Int32Array(frame, 0, HEADER_WORDS + COLUMN_WORDS * columns.length);
    header[0] = MAGIC;
    header[1] = FRAME_VERSION;
    header[2] = size;
    header[3] = rowCount;
    header[4] =
      (batch.timestamps === null ? 0 : HAS_TIMESTAMPS) |
      (batch.rowKinds === null ? 0 : HAS_ROW_KINDS) |
      (hasOrigin ? HAS_ORIGIN : 0);
    header[5] = columns.length;
    header[6] = hasOrigin ? this.#runs.bytes.length : 0;
    header[7] = 0;
    let at = headerBytes(columns.length);
    if (batch.timestamps !== null) {
      new Float64Array(frame, at, rowCount).set(batch.timestamps.subarray(0, rowCount));
      at += 8 * rowCount;
    }
    if (batch.rowKinds !== null) {
      new Uint8Array(frame, at, rowCount).set(batch.rowKinds.subarray(0, rowCount));
      at += aligned(rowCount);
    }
    if (hasOrigin) {
      new Float64Array(frame, at, rowCount).set(this.#origin.offsets.subarray(0, rowCount));
      at += 8 * rowCount;
      new Uint8Array(frame, at, this.#runs.bytes.length).set(this.#runs.bytes);
      at += aligned(this.#runs.bytes.length);
    }
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index] as Column;
      const word = HEADER_WORDS + COLUMN_WORDS * index;
      const valueBytes = this.#valueBytes[index] as number;
      const flags = (column.hasNulls ? HAS_NULLS : 0) | (isWide(column) ? IS_WIDE : 0);
      header[word] = (this.#kinds[index] as number) | flags;
      header[word + 1] = valueBytes;
      if (column.hasNulls) {
        new Uint8Array(frame, at, rowCount).set(column.nulls.subarray(0, rowCount));
        at += aligned(rowCount);
      }
      this.#encodeValues(column, rowCount, index, frame, at);
      at += fixedBytes(column.kind, isWide(column), rowCount) + aligned(valueBytes);
    }
  }

  #measureOrigin(batch: ColumnBatch): number {
    const origin = this.#origin;
    if (origin.offsets.length < batch.rowCount) origin.offsets = new Float64Array(batch.capacity);
    origin.clear();
    appendOrigins(batch, null, 0, batch.rowCount, origin, 0);
    this.#runs.reset();
    this.#runs.uint32(origin.prefixes.length);
    origin.prefixes.forEach((prefix, index) => {
      this.#runs.uint32(origin.runStarts[index] as number);
      this.#runs.string(prefix);
    });
    return this.#runs.bytes.length;
  }

  #measureValues(column: Column, rowCount: number, index: number): number {
    if (column.kind === 'bytes') return bytesOf(column, rowCount);
    if (column.kind !== 'object') return 0;
    const writer = this.#objects[index] as ValueWriter;
    writer.reset();
    for (let row = 0; row < rowCount; row++) {
      if (!column.hasNulls || column.nulls[row] === 0) writer.value(column.values[row] as Value);
    }
    return writer.bytes.length;
  }

  #encodeValues(column: Column, rowCount: number, index: number, frame: ArrayBuffer, at: number): void {
    switch (column.kind) {
      case 'boolean':
        new Uint8Array(frame, at, rowCount).set(column.values.subarray(0, rowCount));
        return;
      case 'int':
        new Int32Array(frame, at, rowCount).set(column.values.subarray(0, rowCount));
        return;
      case 'double':
        new Float64Array(frame, at, rowCount).set(column.values.subarray(0, rowCount));
        return;
      case 'long':
        if (column.wide === null) new Float64Array(frame, at, rowCount).set(column.values.subarray(0, rowCount));
        else new BigInt64Array(frame, at, rowCount).set(column.wide.subarray(0, rowCount));
        return;
      case 'decimal':
        if (column.wide === null) new Float64Array(frame, at, rowCount).set(column.values.subarray(0, rowCount));
        else new BigInt64Array(frame, at, 2 * rowCount).set(column.wide.subarray(0, 2 * rowCount));
        return;
      case 'bytes':
        encodeBytes(column, rowCount, frame, at);
        return;
      case 'object': {
        const { bytes } = this.#objects[index] as ValueWriter;
        new Uint8Array(frame, at, bytes.length).set(bytes);
      }
    }
  }
}

/** Decodes the frames of one channel, one at a time: a decoded batch is valid until the next one. */
export class BatchDecoder {
  readonly #schema: RowSchema;
  readonly #batch: ColumnBatch;
  readonly #kinds: readonly number[];
  readonly #origin = new CarriedOrigin(new Float64Array(0));

  constructor(schema: RowSchema) {
    this.#schema = schema;
    this.#batch = new ColumnBatch(schema, 0);
    this.#kinds = schema.fields.map((field) => KINDS.indexOf(columnKind(field.type)));
  }

  /** A batch whose columns are views of `frame`. Throws MR-TASK-BAD-FRAME. */
  decode(frame: ArrayBuffer): ColumnBatch {
    const batch = this.#batch;
    const header = this.#header(frame);
    const rowCount = header[3] as number;
    const flags = header[4] as number;
    batch.reset();
    batch.rowCount = rowCount;
    // The arrays are as long as there are rows, so the capacity of this one batch changes with its frame.
    (batch as { capacity: number }).capacity = rowCount;
    let at = headerBytes(this.#kinds.length);
    if ((flags & HAS_TIMESTAMPS) !== 0) {
      batch.timestamps = new Float64Array(frame, at, rowCount);
      at += 8 * rowCount;
    }
    if ((flags & HAS_ROW_KINDS) !== 0) {
      batch.rowKinds = new Uint8Array(frame, at, rowCount);
      at += aligned(rowCount);
    }
    if ((flags & HAS_ORIGIN) !== 0) {
      const size = header[6] as number;
      this.#origin.offsets = new Float64Array(frame, at, rowCount);
      at += 8 * rowCount;
      this.#readRuns(new Uint8Array(frame, at, size));
      batch.origin = this.#origin;
      at += aligned(size);
    }
    for (let index = 0; index < this.#kinds.length; index++) {
      const column = batch.columns[index] as Column;
      const word = HEADER_WORDS + COLUMN_WORDS * index;
      const columnFlags = header[word] as number;
      column.hasNulls = (columnFlags & HAS_NULLS) !== 0;
      if (column.hasNulls) {
        column.nulls = new Uint8Array(frame, at, rowCount);
        at += aligned(rowCount);
      }
      const wide = (columnFlags & IS_WIDE) !== 0;
      const valueBytes = header[word + 1] as number;
      viewValues(column, wide, rowCount, valueBytes, frame, at);
      at += fixedBytes(column.kind, wide, rowCount) + aligned(valueBytes);
    }
    return batch;
  }

  /** The header of a frame whose sections add up. */
  #header(frame: ArrayBuffer): Int32Array {
    const words = HEADER_WORDS + COLUMN_WORDS * this.#kinds.length;
    if (frame.byteLength < words * 4) throw badFrame(`${frame.byteLength} bytes are less than its header`);
    const header = new Int32Array(frame, 0, words);
    if (header[0] !== MAGIC) throw badFrame('it does not start as a frame does');
    if (header[1] !== FRAME_VERSION) throw badFrame(`version ${header[1] ?? 0}, not ${FRAME_VERSION}`);
    if (header[5] !== this.#kinds.length) {
      throw badFrame(`${header[5] ?? 0} columns, not the ${this.#kinds.length} of its schema`);
    }
    const rowCount = header[3] as number;
    const flags = header[4] as number;
    const originBytes = header[6] as number;
    if (rowCount < 0 || originBytes < 0) throw badFrame('a negative size');
    let size = headerBytes(this.#kinds.length);
    if ((flags & HAS_TIMESTAMPS) !== 0) size += 8 * rowCount;
    if ((flags & HAS_ROW_KINDS) !== 0) size += aligned(rowCount);
    if ((flags & HAS_ORIGIN) !== 0) size += 8 * rowCount + aligned(originBytes);
    for (let index = 0; index < this.#kinds.length; index++) {
      const columnFlags = header[HEADER_WORDS + COLUMN_WORDS * index] as number;
      const valueBytes = header[HEADER_WORDS + COLUMN_WORDS * index + 1] as number;
      const kind = KINDS[columnFlags & 0xff];
      if (kind === undefined || (columnFlags & 0xff) !== this.#kinds[index]) {
        const name = this.#schema.fields[index]?.name ?? '';
        throw badFrame(`field ${name} is of kind ${kind ?? 'unknown'}, not ${KINDS[this.#kinds[index] ?? 0] ?? ''}`);
      }
      if (valueBytes < 0) throw badFrame('a negative size');
      if ((columnFlags & HAS_NULLS) !== 0) size += aligned(rowCount);
      size += fixedBytes(kind, (columnFlags & IS_WIDE) !== 0, rowCount) + aligned(valueBytes);
    }
    if (size !== header[2] || size > frame.byteLength) {
      throw badFrame(`its parts have ${size} bytes, it says ${header[2] ?? 0}, ${frame.byteLength} are there`);
    }
    return header;
  }

  #readRuns(bytes: Uint8Array): void {
    const reader = new ValueReader(bytes);
    this.#origin.clear();
    for (let left = reader.uint32(); left > 0; left--) {
      const row = reader.uint32();
      this.#origin.startRun(row, reader.string());
    }
  }
}

/** How much of a buffer an encoded frame takes. */
export function frameBytes(frame: ArrayBuffer): number {
  return new Int32Array(frame, 0, HEADER_WORDS)[2] as number;
}

function badFrame(problem: string): Error {
  return taskErrors.create('MR-TASK-BAD-FRAME', { problem });
}

function headerBytes(columnCount: number): number {
  return aligned(4 * (HEADER_WORDS + COLUMN_WORDS * columnCount));
}

function isWide(column: Column): boolean {
  return (column.kind === 'long' || column.kind === 'decimal') && column.wide !== null;
}

/** The size of the arrays whose length follows from the number of rows. */
function fixedBytes(kind: ColumnKind, wide: boolean, rowCount: number): number {
  switch (kind) {
    case 'boolean':
      return aligned(rowCount);
    case 'int':
      return aligned(4 * rowCount);
    case 'double':
    case 'long':
      return 8 * rowCount;
    case 'decimal':
      return (wide ? 16 : 8) * rowCount;
    case 'bytes':
      return aligned(4 * (rowCount + 1));
    case 'object':
      return 0;
  }
}

function viewValues(
  column: Column,
  wide: boolean,
  rowCount: number,
  valueBytes: number,
  frame: ArrayBuffer,
  at: number,
): void {
  switch (column.kind) {
    case 'boolean':
      column.values = new Uint8Array(frame, at, rowCount);
      return;
    case 'int':
      column.values = new Int32Array(frame, at, rowCount);
      return;
    case 'double':
      column.values = new Float64Array(frame, at, rowCount);
      return;
    case 'long':
      if (wide) column.wide = new BigInt64Array(frame, at, rowCount);
      else column.values = new Float64Array(frame, at, rowCount);
      return;
    case 'decimal':
      if (wide) column.wide = new BigInt64Array(frame, at, 2 * rowCount);
      else column.values = new Float64Array(frame, at, rowCount);
      return;
    case 'bytes':
      viewBytes(column, rowCount, valueBytes, frame, at);
      return;
    case 'object': {
      const reader = new ValueReader(new Uint8Array(frame, at, valueBytes));
      column.values = Array.from({ length: rowCount }, (_, row) =>
        column.hasNulls && column.nulls[row] === 1 ? null : reader.value(),
      );
    }
  }
}

/** The rows follow each other in a frame, so one array of offsets is both starts and ends. */
function viewBytes(column: BytesColumn, rowCount: number, valueBytes: number, frame: ArrayBuffer, at: number): void {
  column.starts = new Int32Array(frame, at, rowCount);
  column.ends = new Int32Array(frame, at + 4, rowCount);
  if (rowCount > 0 && (column.starts[0] !== 0 || column.ends[rowCount - 1] !== valueBytes)) {
    throw badFrame('the bytes of a column do not end where its offsets say');
  }
  column.data = new Uint8Array(frame, at + fixedBytes('bytes', false, rowCount), valueBytes);
}

function bytesOf(column: BytesColumn, rowCount: number): number {
  const { starts, ends, nulls, hasNulls } = column;
  let size = 0;
  for (let row = 0; row < rowCount; row++) {
    if (!hasNulls || nulls[row] === 0) size += (ends[row] as number) - (starts[row] as number);
  }
  return size;
}

function encodeBytes(column: BytesColumn, rowCount: number, frame: ArrayBuffer, at: number): void {
  const { starts, ends, nulls, hasNulls, data } = column;
  const offsets = new Int32Array(frame, at, rowCount + 1);
  const dataAt = at + fixedBytes('bytes', false, rowCount);
  const first = rowCount === 0 ? 0 : (starts[0] as number);
  // A gathered column is one run of bytes: each row starts where the one before ended, NULLs are empty.
  let isOneRun = true;
  let used = 0;
  for (let row = 0; row < rowCount; row++) {
    offsets[row] = used;
    const start = starts[row] as number;
    const size = hasNulls && nulls[row] === 1 ? 0 : (ends[row] as number) - start;
    if (size > 0 && start !== first + used) isOneRun = false;
    used += size;
  }
  offsets[rowCount] = used;
  const out = new Uint8Array(frame, dataAt, used);
  if (isOneRun) {
    out.set(data.subarray(first, first + used));
    return;
  }
  for (let row = 0; row < rowCount; row++) {
    const size = (offsets[row + 1] as number) - (offsets[row] as number);
    if (size === 0) continue;
    const start = starts[row] as number;
    out.set(data.subarray(start, start + size), offsets[row]);
  }
}
