import { formatType, readValue } from '../../../core/index.ts';
import type { Column, ColumnBatch, EncodedBlock, RecordEncoder, SinkSpec, Value } from '../../../core/index.ts';
import { formatErrors } from '../errors.ts';
import { putColumnBytes } from '../field-bytes.ts';
import type { AvroField, AvroNode } from './avro-schema.ts';

const encoder = new TextEncoder();
const scalar = new DataView(new ArrayBuffer(8));
const scalarBytes = new Uint8Array(scalar.buffer);

/** Writes rows in the binary form of Avro. */
export class AvroEncoder implements RecordEncoder {
  failedRow = -1;
  /** The schema's fields with their columns in the input. */
  readonly #fields: readonly { readonly field: AvroField; readonly index: number }[];
  #block: EncodedBlock | null = null;
  #current = '';

  constructor(spec: SinkSpec, indexes: readonly number[], schema: AvroNode) {
    this.#fields = schema.fields.map((field) => ({
      field,
      index: indexes.find((index) => spec.input.fields[index]?.name === field.name) ?? -1,
    }));
  }

  encode(batch: ColumnBatch, fromRow: number, block: EncodedBlock, maxBytes: number): number {
    this.#block = block;
    let row = fromRow;
    for (; row < batch.rowCount && block.count < block.capacity && block.used <= maxBytes; row++) {
      const start = block.used;
      try {
        for (const { field, index } of this.#fields) {
          this.#current = field.name;
          const column = batch.columns[index] as Column | undefined;
          if (column === undefined) this.#put(field.node, null);
          else this.#putColumn(block, field.node, column, row);
        }
      } catch (error) {
        block.used = start;
        this.failedRow = row;
        throw error;
      }
      block.starts[block.count] = start;
      block.ends[block.count] = block.used;
      block.count++;
    }
    return row;
  }

  /** Strings, bytes and safe integers straight from the column; all else as a value. */
  #putColumn(block: EncodedBlock, node: AvroNode, column: Column, row: number): void {
    const isNull = column.hasNulls && column.nulls[row] === 1;
    const isNarrow = column.kind !== 'long' || column.wide === null;
    const isBytes = node.kind === 'string' || node.kind === 'bytes';
    const isInteger = node.kind === 'int' || node.kind === 'long' || node.kind === 'timestamp-millis';
    if (isNull || !(isBytes || (isInteger && isNarrow))) {
      this.#put(node, readValue(column, node.type, row));
      return;
    }
    if (node.nullBranch >= 0) this.#putSmall(block, 1 - node.nullBranch);
    if (column.kind === 'bytes') {
      this.#putSmall(block, (column.ends[row] as number) - (column.starts[row] as number));
      putColumnBytes(block, column, row);
    } else {
      this.#putSmall(block, (column as { values: ArrayLike<number> }).values[row] as number);
    }
  }

  #put(node: AvroNode, value: Value): void {
    if (node.nullBranch >= 0) {
      this.#putLong(BigInt(value === null ? node.nullBranch : 1 - node.nullBranch));
      if (value === null) return;
    }
    if (value === null) throw this.#error(node, 'it is NULL, and the schema has no null there');
    this.#putValue(node, value);
  }

  #putValue(node: AvroNode, value: Exclude<Value, null>): void {
    switch (node.kind) {
      case 'boolean':
        this.#putBytes(Uint8Array.of(value === true ? 1 : 0));
        return;
      case 'int':
      case 'long':
      case 'timestamp-millis':
        this.#putLong(BigInt(value as number | bigint));
        return;
      case 'timestamp-micros':
      case 'time-micros':
        this.#putLong(BigInt(value as number) * 1000n);
        return;
      case 'float':
        scalar.setFloat32(0, value as number, true);
        this.#putBytes(scalarBytes.subarray(0, 4));
        return;
      case 'double':
        scalar.setFloat64(0, value as number, true);
        this.#putBytes(scalarBytes);
        return;
      case 'decimal':
        this.#putDecimal(node, value as bigint);
        return;
      case 'enum':
        this.#putSymbol(node, value as string);
        return;
      case 'string':
      case 'bytes':
      case 'fixed':
        this.#putText(node, typeof value === 'string' ? encoder.encode(value) : (value as Uint8Array));
        return;
      default:
        this.#putCompound(node, value);
    }
  }

  #putText(node: AvroNode, bytes: Uint8Array): void {
    if (node.size < 0) this.#putLong(BigInt(bytes.length));
    else if (bytes.length !== node.size) throw this.#error(node, `${bytes.length} bytes in a fixed of ${node.size}`);
    this.#putBytes(bytes);
  }

  #putSymbol(node: AvroNode, symbol: string): void {
    const index = node.symbols.indexOf(symbol);
    if (index < 0) throw this.#error(node, `the enum has no ${JSON.stringify(symbol)}`);
    this.#putLong(BigInt(index));
  }

  /** Two's complement, big-endian, as short as it goes or as long as the fixed. */
  #putDecimal(node: AvroNode, unscaled: bigint): void {
    const bytes: number[] = [];
    let rest = unscaled;
    do {
      bytes.unshift(Number(BigInt.asUintN(8, rest)));
      rest >>= 8n;
    } while (!(rest === 0n && (bytes[0] as number) < 0x80) && !(rest === -1n && (bytes[0] as number) >= 0x80));
    if (node.size >= 0) {
      if (bytes.length > node.size) throw this.#error(node, `it takes more than ${node.size} bytes`);
      while (bytes.length < node.size) bytes.unshift(unscaled < 0n ? 0xff : 0);
    }
    this.#putText(node, Uint8Array.from(bytes));
  }

  #putCompound(node: AvroNode, value: Exclude<Value, null>): void {
    if (node.kind === 'record') {
      const row = value as readonly Value[];
      node.fields.forEach((field, index) => {
        this.#put(field.node, row[index] ?? null);
      });
      return;
    }
    const items = node.items as AvroNode;
    const entries = node.kind === 'map' ? [...(value as ReadonlyMap<Value, Value>)] : (value as readonly Value[]);
    if (entries.length > 0) this.#putLong(BigInt(entries.length));
    if (node.kind === 'map') {
      for (const [key, item] of entries as [Value, Value][]) {
        const bytes = encoder.encode(key as string);
        this.#putLong(BigInt(bytes.length));
        this.#putBytes(bytes);
        this.#put(items, item);
      }
    } else {
      for (const item of entries as Value[]) this.#put(items, item);
    }
    this.#putLong(0n);
  }

  /** Zigzag, then seven bits a byte from the lowest. */
  #putLong(value: bigint): void {
    const block = this.#block as EncodedBlock;
    const data = block.reserve(10);
    let zigzag = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (zigzag >= 0x80n) {
      data[block.used++] = Number(zigzag & 0x7fn) | 0x80;
      zigzag >>= 7n;
    }
    data[block.used++] = Number(zigzag);
  }

  /** As #putLong, for numbers: twice as large they are safe integers still, or #putLong does it. */
  #putSmall(block: EncodedBlock, value: number): void {
    const data = block.reserve(10);
    let at = block.used;
    let rest = value < 0 ? -value * 2 - 1 : value * 2;
    if (rest > Number.MAX_SAFE_INTEGER) {
      this.#putLong(BigInt(value));
      return;
    }
    while (rest >= 0x80) {
      const next = Math.floor(rest / 0x80);
      data[at++] = (rest - next * 0x80) | 0x80;
      rest = next;
    }
    data[at++] = rest;
    block.used = at;
  }

  #putBytes(bytes: Uint8Array): void {
    const block = this.#block as EncodedBlock;
    block.reserve(bytes.length).set(bytes, block.used);
    block.used += bytes.length;
  }

  #error(node: AvroNode, problem: string): Error {
    const fields = { field: this.#current, type: formatType(node.type), format: 'Avro', problem };
    return formatErrors.create('MR-FORMAT-ENCODE', fields);
  }
}
