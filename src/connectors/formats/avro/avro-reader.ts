/**
 * Reads the binary form of Avro (specification 1.12, "Binary Encoding") straight into columns. Every length is checked
 * against the bytes that are there: a damaged or hostile record fails, it does not allocate.
 */
import { appendBytes, MAX_TIMESTAMP_MS, setNull, widenLong, writeValue } from '../../../core/index.ts';
import type { BytesColumn, Column, LongColumn, MillraceError, RecordBlock, Value } from '../../../core/index.ts';
import { viewOf } from '../byte-view.ts';
import { formatErrors } from '../errors.ts';
import type { RecordReader } from '../rowwise-decoder.ts';
import { checkUtf8 } from '../utf8.ts';
import type { WantedFields } from '../wanted-fields.ts';
import type { AvroNode } from './avro-schema.ts';

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
const MICROS_PER_MS = 1000;
const DAY_MS = 86_400_000;
const TWO_28 = 0x10000000;

export class AvroReader implements RecordReader {
  readonly borrows = true;
  /** By field of the record: its node and the target that it fills, or -1. */
  readonly #fields: readonly { readonly node: AvroNode; readonly target: number }[];
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = viewOf(this.#bytes);
  #start = 0;
  #p = 0;
  #end = 0;
  /** What readLong found: `wide` where it is no safe integer. */
  #long = 0;
  #wide: bigint | null = null;
  #path = '';

  readonly #names: readonly string[];

  constructor(schema: AvroNode, wanted: WantedFields) {
    this.#fields = schema.fields.map(({ node }, index) => ({ node, target: wanted.targetOf(index) }));
    this.#names = schema.fields.map(({ name }) => name);
  }

  setBlock(block: RecordBlock): void {
    this.#bytes = block.data;
    this.#view = viewOf(block.data);
  }

  read(block: RecordBlock, record: number, columns: readonly Column[], row: number): boolean {
    this.#start = this.#p = block.valueStarts[record] as number;
    this.#end = block.valueEnds[record] as number;
    for (let index = 0; index < this.#fields.length; index++) {
      const { node, target } = this.#fields[index] as { node: AvroNode; target: number };
      this.#path = this.#names[index] as string;
      if (target < 0) this.#skip(node);
      else this.#readColumn(node, columns[target] as Column, row);
    }
    if (this.#p !== this.#end) {
      throw this.#error(`${this.#end - this.#p} bytes follow its last field`);
    }
    return true;
  }

  #readColumn(node: AvroNode, column: Column, row: number): void {
    if (this.#isNull(node)) {
      setNull(column, row);
      return;
    }
    if (column.kind === 'bytes' && (node.kind === 'string' || node.kind === 'bytes' || node.kind === 'fixed')) {
      this.#readRange(node, column, row);
    } else if (column.kind === 'long' && node.kind === 'long') {
      this.#readLongColumn(column, row);
    } else {
      writeValue(column, row, this.#value(node));
    }
  }

  #readRange(node: AvroNode, column: BytesColumn, row: number): void {
    const length = this.#length(node);
    const start = this.#p;
    this.#p += length;
    if (node.kind === 'string') checkUtf8(this.#bytes, start, this.#p, this.#start);
    if (column.hasNulls) column.nulls[row] = 0;
    if (column.data === this.#bytes) {
      column.starts[row] = start;
      column.ends[row] = this.#p;
    } else {
      appendBytes(column, row, this.#bytes.subarray(start, this.#p));
    }
  }

  #readLongColumn(column: LongColumn, row: number): void {
    this.#readLong();
    if (column.hasNulls) column.nulls[row] = 0;
    if (this.#wide !== null) widenLong(column, row)[row] = this.#wide;
    else if (column.wide !== null) column.wide[row] = BigInt(this.#long);
    else column.values[row] = this.#long;
  }

  /** Whether a union says null; reads which branch it is. */
  #isNull(node: AvroNode): boolean {
    if (node.nullBranch < 0) return false;
    const branch = this.#safeLong();
    if (branch !== 0 && branch !== 1) throw this.#error(`branch ${branch} of a union of two`);
    return branch === node.nullBranch;
  }

  #nullable(node: AvroNode): Value {
    return this.#isNull(node) ? null : this.#value(node);
  }

  #value(node: AvroNode): Value {
    switch (node.kind) {
      case 'boolean':
        return this.#boolean();
      case 'int':
        return this.#int(node);
      case 'long':
        this.#readLong();
        return this.#wide ?? BigInt(this.#long);
      case 'float':
        this.#need(4);
        this.#p += 4;
        return this.#view.getFloat32(this.#p - 4, true);
      case 'double':
        this.#need(8);
        this.#p += 8;
        return this.#view.getFloat64(this.#p - 8, true);
      case 'string':
      case 'bytes':
      case 'fixed':
        return this.#text(node);
      case 'enum':
        return this.#symbol(node);
      case 'timestamp-millis':
      case 'timestamp-micros':
      case 'time-micros':
        return this.#time(node);
      case 'decimal':
        return this.#decimal(node);
      case 'array':
      case 'map':
      case 'record':
        return this.#compound(node);
    }
  }

  #boolean(): boolean {
    this.#need(1);
    const byte = this.#bytes[this.#p++] as number;
    if (byte > 1) throw this.#error(`a boolean with the byte ${byte}`);
    return byte === 1;
  }

  #int(node: AvroNode): number {
    const value = this.#safeLong();
    if (value !== (value | 0)) throw this.#error(`${value} is no int of 32 bits`);
    if (node.type.kind === 'time' && !(value >= 0 && value < DAY_MS)) throw this.#error(`${value} is no time of a day`);
    return value;
  }

  #time(node: AvroNode): number {
    const raw = this.#safeLong();
    const ms = node.kind === 'timestamp-millis' ? raw : Math.floor(raw / MICROS_PER_MS);
    const isGood = node.kind === 'time-micros' ? ms >= 0 && ms < DAY_MS : Math.abs(ms) <= MAX_TIMESTAMP_MS;
    if (!isGood) throw this.#error(`${raw} is outside the range of a ${node.type.kind}`);
    return ms;
  }

  #text(node: AvroNode): string | Uint8Array {
    const length = this.#length(node);
    const start = this.#p;
    this.#p += length;
    // Not slice(): of a Buffer that is a view, and its memory is used again.
    if (node.kind !== 'string') return new Uint8Array(this.#bytes.subarray(start, this.#p));
    checkUtf8(this.#bytes, start, this.#p, this.#start);
    return textDecoder.decode(this.#bytes.subarray(start, this.#p));
  }

  #symbol(node: AvroNode): string {
    const index = this.#safeLong();
    const symbol = node.symbols[index];
    if (symbol === undefined) throw this.#error(`symbol ${index} of an enum of ${node.symbols.length}`);
    return symbol;
  }

  /** Two's complement, big-endian. */
  #decimal(node: AvroNode): bigint {
    const length = this.#length(node);
    let unscaled = 0n;
    // Longer than 17 bytes no decimal(38) is, but for leading bytes that say nothing: bounded by the record all the
    // same.
    for (let i = 0; i < length; i++) unscaled = (unscaled << 8n) | BigInt(this.#bytes[this.#p + i] as number);
    this.#p += length;
    const value = BigInt.asIntN(length * 8, unscaled);
    const precision = node.type.kind === 'decimal' ? node.type.precision : 0;
    const magnitude = value < 0n ? -value : value;
    if (magnitude >= 10n ** BigInt(precision)) throw this.#error(`a decimal of more than ${precision} digits`);
    return value;
  }

  #compound(node: AvroNode): Value {
    if (node.kind === 'record') return node.fields.map((field) => this.#nullable(field.node));
    const items = node.items as AvroNode;
    if (node.kind === 'array') {
      const values: Value[] = [];
      this.#blocks(() => values.push(this.#nullable(items)));
      return values;
    }
    const entries = new Map<Value, Value>();
    this.#blocks(() => entries.set(this.#text(STRING_NODE) as string, this.#nullable(items)));
    return entries;
  }

  /** Arrays and maps come in blocks: a count, of which a negative one is followed by a size in bytes. */
  #blocks(each: () => void): void {
    for (;;) {
      let count = this.#safeLong();
      if (count === 0) return;
      if (count < 0) {
        count = -count;
        this.#safeLong();
      }
      if (count > this.#end - this.#p) throw this.#error(`${count} items in ${this.#end - this.#p} bytes`);
      for (let i = 0; i < count; i++) each();
    }
  }

  #skip(node: AvroNode): void {
    if (this.#isNull(node)) return;
    switch (node.kind) {
      case 'string':
      case 'bytes':
      case 'fixed':
      case 'decimal':
        this.#skipBytes(node);
        return;
      case 'record':
        for (const field of node.fields) this.#skip(field.node);
        return;
      case 'array':
      case 'map':
        this.#blocks(() => {
          if (node.kind === 'map') this.#skipBytes(STRING_NODE);
          this.#skip(node.items as AvroNode);
        });
        return;
      default:
        this.#value(node);
    }
  }

  #skipBytes(node: AvroNode): void {
    // Reading the length moves the position too.
    const length = this.#length(node);
    this.#p += length;
  }

  /** The length of what follows, known to be there. */
  #length(node: AvroNode): number {
    const length = node.size >= 0 ? node.size : this.#safeLong();
    if (length < 0) throw this.#error(`a length of ${length}`);
    this.#need(length);
    return length;
  }

  #need(size: number): void {
    if (size > this.#end - this.#p) throw this.#error(`it ends ${size - (this.#end - this.#p)} bytes too early`);
  }

  #safeLong(): number {
    this.#readLong();
    if (this.#wide !== null) throw this.#error(`${this.#wide} is too large here`);
    return this.#long;
  }

  /** A zigzag varint of at most ten bytes, in three parts that stay exact as numbers. */
  #readLong(): void {
    let low = 0;
    let middle = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      this.#need(1);
      const byte = this.#bytes[this.#p++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift < 56) middle |= bits << (shift - 28);
      else high |= bits << (shift - 56);
      if (byte < 0x80) break;
      if (shift === 63) throw this.#error('a number of more than ten bytes');
    }
    // 64 bits: of the tenth byte one bit counts.
    high &= 0xff;
    if (high === 0 && middle < 0x2000000) {
      const zigzag = middle * TWO_28 + low;
      this.#wide = null;
      this.#long = low % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      return;
    }
    const zigzag = (BigInt(high) << 56n) | (BigInt(middle) << 28n) | BigInt(low);
    const value = BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n));
    const isSafe = value <= 9007199254740991n && value >= -9007199254740991n;
    this.#wide = isSafe ? null : value;
    if (isSafe) this.#long = Number(value);
  }

  #error(problem: string): MillraceError {
    return formatErrors.create('MR-FORMAT-AVRO', {
      problem: `field \`${this.#path}\`: ${problem} (byte ${this.#p - this.#start})`,
    });
  }
}

const STRING_NODE: AvroNode = {
  kind: 'string',
  type: { kind: 'string' },
  nullBranch: -1,
  size: -1,
  symbols: [],
  items: null,
  fields: [],
};
