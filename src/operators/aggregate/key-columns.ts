/**
 * The keys of groups, field by field in typed arrays; a group's number is its place in all of them. Equality is exact
 * and independent of how a batch represents a value: a long is kept narrow whenever it is a safe integer.
 */
import { columnKind, loadWideDecimal } from '../../core/index.ts';
import type {
  BooleanColumn,
  BytesColumn,
  Column,
  DataType,
  DecimalColumn,
  DoubleColumn,
  IntColumn,
  LongColumn,
} from '../../core/index.ts';

/** One field of the keys. `bind` is called before the rows of a batch are asked for. */
export interface KeyColumn {
  bind(column: Column): void;
  /** Whether the group's value is the row's; NULL equals NULL, NaN equals NaN. */
  equals(group: number, row: number): boolean;
  /** Keeps the row's value as that of a new group. */
  append(group: number, row: number): void;
}

const FIRST_CAPACITY = 256;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

export function createKeyColumn(type: DataType): KeyColumn {
  switch (columnKind(type)) {
    case 'boolean':
    case 'int':
      return new IntKeys();
    case 'double':
      return new DoubleKeys();
    case 'long':
      return new LongKeys();
    case 'decimal':
      return new DecimalKeys();
    case 'bytes':
      return new BytesKeys();
    case 'object':
      throw new TypeError(`a ${type.kind} cannot be a key`);
  }
}

function grow<T extends Int32Array | Float64Array | Uint8Array | Uint32Array>(array: T, size: number): T {
  const grown = new (array.constructor as new (length: number) => T)(Math.max(size, array.length * 2, FIRST_CAPACITY));
  grown.set(array);
  return grown;
}

/** NULL flags of the keys, and of the batch's column. */
class NullKeys {
  #groups: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  #rows: Uint8Array = new Uint8Array(0);
  #hasNulls = false;

  bind(column: Column): void {
    this.#rows = column.nulls;
    this.#hasNulls = column.hasNulls;
  }

  isNull(row: number): boolean {
    return this.#hasNulls && this.#rows[row] === 1;
  }

  wasNull(group: number): boolean {
    return this.#groups[group] === 1;
  }

  append(group: number, row: number): void {
    if (group >= this.#groups.length) this.#groups = grow(this.#groups, group + 1);
    this.#groups[group] = this.isNull(row) ? 1 : 0;
  }
}

class IntKeys implements KeyColumn {
  readonly #nulls = new NullKeys();
  #groups: Int32Array = new Int32Array(FIRST_CAPACITY);
  #rows: Int32Array | Uint8Array = new Int32Array(0);

  bind(column: Column): void {
    this.#nulls.bind(column);
    this.#rows = (column as IntColumn | BooleanColumn).values;
  }

  equals(group: number, row: number): boolean {
    if (this.#nulls.isNull(row)) return this.#nulls.wasNull(group);
    return this.#groups[group] === this.#rows[row] && !this.#nulls.wasNull(group);
  }

  append(group: number, row: number): void {
    this.#nulls.append(group, row);
    if (group >= this.#groups.length) this.#groups = grow(this.#groups, group + 1);
    this.#groups[group] = this.#rows[row] as number;
  }
}

class DoubleKeys implements KeyColumn {
  readonly #nulls = new NullKeys();
  #groups: Float64Array = new Float64Array(FIRST_CAPACITY);
  #rows: Float64Array = new Float64Array(0);

  bind(column: Column): void {
    this.#nulls.bind(column);
    this.#rows = (column as DoubleColumn).values;
  }

  equals(group: number, row: number): boolean {
    if (this.#nulls.isNull(row)) return this.#nulls.wasNull(group);
    const [a, b] = [this.#groups[group] as number, this.#rows[row] as number];
    return (a === b || (a !== a && b !== b)) && !this.#nulls.wasNull(group);
  }

  append(group: number, row: number): void {
    this.#nulls.append(group, row);
    if (group >= this.#groups.length) this.#groups = grow(this.#groups, group + 1);
    this.#groups[group] = this.#rows[row] as number;
  }
}

/** Safe integers in a typed array; the place of another holds NaN, which equals nothing, and the map has the value. */
class IntegerKeys {
  #narrow: Float64Array = new Float64Array(FIRST_CAPACITY);
  readonly #wide = new Map<number, bigint>();

  equalsNarrow(group: number, value: number): boolean {
    return this.#narrow[group] === value;
  }

  equalsWide(group: number, value: bigint): boolean {
    return isSafe(value) ? this.#narrow[group] === Number(value) : this.#wide.get(group) === value;
  }

  appendNarrow(group: number, value: number): void {
    if (group >= this.#narrow.length) this.#narrow = grow(this.#narrow, group + 1);
    this.#narrow[group] = value;
  }

  appendWide(group: number, value: bigint): void {
    if (isSafe(value)) {
      this.appendNarrow(group, Number(value));
      return;
    }
    this.appendNarrow(group, NaN);
    this.#wide.set(group, value);
  }
}

function isSafe(value: bigint): boolean {
  return value <= MAX_SAFE && value >= -MAX_SAFE;
}

class LongKeys implements KeyColumn {
  readonly #nulls = new NullKeys();
  readonly #groups = new IntegerKeys();
  #narrow: Float64Array = new Float64Array(0);
  #wide: BigInt64Array | null = null;

  bind(column: Column): void {
    this.#nulls.bind(column);
    this.#narrow = (column as LongColumn).values;
    this.#wide = (column as LongColumn).wide;
  }

  equals(group: number, row: number): boolean {
    if (this.#nulls.isNull(row)) return this.#nulls.wasNull(group);
    const same =
      this.#wide === null
        ? this.#groups.equalsNarrow(group, this.#narrow[row] as number)
        : this.#groups.equalsWide(group, this.#wide[row] as bigint);
    return same && !this.#nulls.wasNull(group);
  }

  append(group: number, row: number): void {
    this.#nulls.append(group, row);
    if (this.#nulls.isNull(row)) this.#groups.appendNarrow(group, 0);
    else if (this.#wide === null) this.#groups.appendNarrow(group, this.#narrow[row] as number);
    else this.#groups.appendWide(group, this.#wide[row] as bigint);
  }
}

class DecimalKeys implements KeyColumn {
  readonly #nulls = new NullKeys();
  readonly #groups = new IntegerKeys();
  #narrow: Float64Array = new Float64Array(0);
  #wide: BigInt64Array | null = null;

  bind(column: Column): void {
    this.#nulls.bind(column);
    this.#narrow = (column as DecimalColumn).values;
    this.#wide = (column as DecimalColumn).wide;
  }

  equals(group: number, row: number): boolean {
    if (this.#nulls.isNull(row)) return this.#nulls.wasNull(group);
    const same =
      this.#wide === null
        ? this.#groups.equalsNarrow(group, this.#narrow[row] as number)
        : this.#groups.equalsWide(group, loadWideDecimal(this.#wide, row));
    return same && !this.#nulls.wasNull(group);
  }

  append(group: number, row: number): void {
    this.#nulls.append(group, row);
    if (this.#nulls.isNull(row)) this.#groups.appendNarrow(group, 0);
    else if (this.#wide === null) this.#groups.appendNarrow(group, this.#narrow[row] as number);
    else this.#groups.appendWide(group, loadWideDecimal(this.#wide, row));
  }
}

/** The bytes of all keys in one arena. */
class BytesKeys implements KeyColumn {
  readonly #nulls = new NullKeys();
  #arena: Uint8Array = new Uint8Array(4096);
  #used = 0;
  #starts: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  #lengths: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  #data: Uint8Array = new Uint8Array(0);
  #rowStarts: Int32Array = new Int32Array(0);
  #rowEnds: Int32Array = new Int32Array(0);

  bind(column: Column): void {
    this.#nulls.bind(column);
    const bytes = column as BytesColumn;
    this.#data = bytes.data;
    this.#rowStarts = bytes.starts;
    this.#rowEnds = bytes.ends;
  }

  equals(group: number, row: number): boolean {
    if (this.#nulls.isNull(row)) return this.#nulls.wasNull(group);
    const from = this.#rowStarts[row] as number;
    const length = (this.#rowEnds[row] as number) - from;
    if (this.#lengths[group] !== length || this.#nulls.wasNull(group)) return false;
    const start = this.#starts[group] as number;
    const arena = this.#arena;
    const data = this.#data;
    for (let i = 0; i < length; i++) if (arena[start + i] !== data[from + i]) return false;
    return true;
  }

  append(group: number, row: number): void {
    this.#nulls.append(group, row);
    if (group >= this.#starts.length) {
      this.#starts = grow(this.#starts, group + 1);
      this.#lengths = grow(this.#lengths, group + 1);
    }
    this.#starts[group] = this.#used;
    this.#lengths[group] = 0;
    if (this.#nulls.isNull(row)) return;
    const from = this.#rowStarts[row] as number;
    const to = this.#rowEnds[row] as number;
    const needed = this.#used + to - from;
    if (needed > this.#arena.length) this.#arena = grow(this.#arena, needed);
    this.#arena.set(this.#data.subarray(from, to), this.#used);
    this.#lengths[group] = to - from;
    this.#used = needed;
  }
}
