import { columnKind } from '../../../core/index.ts';
import type { DataType } from '../../../core/index.ts';

const ALIGNMENT = 16;

/** Where one column of a chunk lies. */
export interface ColumnPlace {
  /** Values, or starts of text. */
  readonly values: number;
  /** Ends of text. */
  readonly ends: number;
  readonly nulls: number;
}

/** Hands out places in a memory, one behind the other. */
export class MemoryPlan {
  #used: number;

  constructor(from: number) {
    this.#used = from;
  }

  get usedBytes(): number {
    return this.#used;
  }

  take(sizeBytes: number): number {
    const at = this.#used;
    this.#used += Math.ceil(sizeBytes / ALIGNMENT) * ALIGNMENT;
    return at;
  }

  takeColumn(type: DataType, rowCount: number): ColumnPlace {
    const isText = columnKind(type) === 'bytes';
    const values = this.take((isText ? 4 : 8) * rowCount);
    return { values, ends: isText ? this.take(4 * rowCount) : values, nulls: this.take(rowCount) };
  }
}
